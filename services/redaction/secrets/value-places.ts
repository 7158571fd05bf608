/**
 * Where the value of a name stands, as rules in order: the first under which a value is found wins. Code, JSON, YAML,
 * INI, XML, shell, queries and sentences.
 */
import type { Finding } from '../finding.ts';
import { once } from '../once.ts';
import { pattern } from '../pattern.ts';
import type { NameKind } from './key-name.ts';
import type { EvidenceStrength } from './plausible.ts';
import { readNearby, readValue } from './value.ts';

/** A name in a text, and what is known of it before its value is looked for. */
export type Named = {
  readonly text: string;
  readonly name: string;
  readonly start: number;
  readonly end: number;
  /** Unit behind the name. */
  readonly next: number;
  readonly kind: NameKind;
  /** `key` alone, with a word before it that makes it somebody's (`my key`). */
  readonly isOwnKey: boolean;
  /** What stands in front, at most 32 units. */
  readonly before: string;
};

/** From the end of a name to the value: closing quote or bracket, type annotation, operator, wrappers like `value=`. */
const operator = pattern('y')`
    ["'\x60\])\\]{0,5}(?: ?\([A-Za-z ]{2,24}\))?[ \t]{0,8}(?:(?::[ \t]?[A-Za-z_<>?&'[\]*]{2,24}[ \t]?
    (?==[^=>]))?(?:=>|<-|:=|[=!]==?|=|::?|->|\?\?=?|\|\|=?|\+=)
    |(?:,\s{0,24}|\s{1,24}|:[ \t]?\{\s{0,24}
    |[ \t]?\{\s{0,24}(?:(?:type|description|sensitive|nullable)[ \t]{0,24}=[^\n{}]{0,80}\n\s{0,24}){0,4})
    \\{0,3}["']?(?:value|content|default)\\{0,3}["']?[ \t]{0,16}[:=]
    |\|(?=[ \t])|[为是為は는은이가]
    |</(?:key|name)>\s{0,24}<(?:string|value)>|(?<=["'])>(?=[^<>\s]{4,200}</))
    [ \t]{0,8}(?:[|>][+-]?(?=[ \t]?\r?\n))?(?:\\{0,1}[ \t]?\r?\n[ \t]{1,16}|\\[nt]){0,1}
  `;
/** The name ends its line: the value has a name of its own there (`value:`), or is all of the next line. */
const nextLine =
  /\r?\n(?:[ \t-]{0,24}["']?(?:value|content|default)\b|[ \t]{0,16}(?=[\w+/~.-]{20,200}={0,2}(?:\s|$)))/y;
/** The second argument of `define('DB_PASSWORD', '...')`. */
const second = /["'] ?, ?(?=["'`])/y;
const call = /\(\s{0,3}(?=["'`])/y;
const verb = pattern()`
    [ \t"'\x60*)\]](?:is|was|are|equals|be|to|ist|lautet|es|est|é|è|este|jest|je|er|är|on|adalah|s
    (?<='s))[ \t]{1,2}(?:(?:now|still|just|currently|actually|simply|set[ \t]to|changed[ \t]to|called
    |probably|like|this|the[ \t]following|as[ \t]follows)\b)?[ \t]{0,2}[:=]?[ \t\n]{0,3}|[:=][ \t\n]{1,3}
  `;
/** A sentence between the word and its verb: up to six words, no clause. */
const between = /^["'`*)\]]{0,3}(?:[ \t]+[\p{L}\p{N}_'’.@/&-]{1,24}){0,6}[ \t]{0,2}$/u;
const maxSentence = 112;

/** Where the value of a sentence begins (`for the wifi is ...`), or -1. */
function afterVerb(text: string, from: number): number {
  const window = text.slice(from, from + maxSentence);
  const match = verb.exec(window);
  return match !== null && between.test(window.slice(0, match.index)) ? from + match.index + match[0].length : -1;
}
/** Punctuation that sets a value off from its name: `password - ...`, `Password (...)`, `token → ...`. */
const setOff = /[ \t]{0,2}(?:[-–—→>|;~([{<]|\\[nt]|(?=[“„«‘]))[ \t]{0,2}(?=\S)/y;

const behind = (expression: RegExp, { text, end }: Named): number => {
  expression.lastIndex = end;
  return expression.test(text) ? expression.lastIndex : -1;
};
const endsLine = (unit: number): boolean => unit === 10 || unit === 13;
/** A name with nothing of its value on its line and in the next: most words of prose that end a line. */
export const isLastWord = (text: string, end: number): boolean => {
  nextLine.lastIndex = end;
  return endsLine(text.charCodeAt(end)) && !nextLine.test(text);
};
/** The name is an element's: `<password>...`, `</password>`. */
const isElement = ({ text, end, before }: Named): boolean => text[end] === '>' && /[</]$|[<][A-Za-z:]*$/.test(before);
const isFlag = (name: string): boolean => /^--?[A-Za-z]/.test(name);
const isShortFlag = ({ text, name, end }: Named): boolean => /^--?[a-z]/.test(name) && text[end + 1] !== '-';
const isInQuery = ({ text, start }: Named): boolean => /[?&]/.test(text[start - 1] ?? '');
/** Units behind a name with which a sentence goes on: blank, tab, colon, equals, quotation marks, star, bracket. */
const sentenceUnits = ' \t:="\'`*(';
/** The value has a name of its own, or is made by a machine as a token is. */
const atLeastToken = ({ kind }: Named): NameKind => (kind === 'weak' ? 'token' : kind);

type PlaceRule = {
  readonly name: string;
  /** Units behind a name to which the rule applies; any when absent. */
  readonly after?: string;
  /** Where the value begins under this rule, or -1. */
  from(named: Named): number;
  readonly strength: EvidenceStrength | ((named: Named) => EvidenceStrength);
  /** The kind that the value is judged by; the name's own when absent. */
  kind?(named: Named): NameKind;
  inQuery?(named: Named): boolean;
  /** When it says where the value is, it is nowhere else. */
  readonly isOnly?: boolean;
};

const rules: readonly PlaceRule[] = [
  {
    name: 'all of the next line',
    after: '\r\n',
    from(named) {
      const from = behind(nextLine, named);
      return from >= 0 && !/[a-z]$/.test(named.text.slice(named.end, from)) ? from : -1;
    },
    strength: 'phrase',
    kind: atLeastToken,
    isOnly: true,
  },
  {
    name: 'content of an element',
    after: '>',
    from(named) {
      if (!isElement(named) || named.text[named.start - 1] === '/') return -1;
      return named.end + (named.text.startsWith('<![CDATA[', named.end + 1) ? 10 : 1);
    },
    strength: 'quoted',
  },
  {
    name: 'behind an operator',
    from: (named) => (isElement(named) ? -1 : behind(operator, named)),
    strength: 'bare',
    inQuery: isInQuery,
  },
  {
    name: 'second argument of a call',
    after: '"\'',
    from(named) {
      const { text, name, start } = named;
      return text[start - 2] === '(' || isFlag(name) ? behind(second, named) : -1;
    },
    strength: 'bare',
  },
  { name: 'argument of a call', after: '(', from: (named) => behind(call, named), strength: 'bare' },
  {
    name: 'next cell, behind a comma',
    after: ',',
    from: ({ text, end }) => (text[end + 1] === ' ' ? -1 : end + 1),
    strength: 'adjacent',
  },
  { name: 'next cell, behind a tab', after: '\t', from: ({ end }) => end + 1, strength: 'phrase' },
  { name: 'set off by punctuation', from: (named) => behind(setOff, named), strength: 'adjacent' },
  {
    name: 'behind a verb',
    after: sentenceUnits,
    from: ({ text, end }) => afterVerb(text, end),
    strength: 'phrase',
    kind: (named) => (named.isOwnKey ? atLeastToken(named) : named.kind),
  },
  {
    name: 'next word',
    after: ' ',
    from: ({ end }) => end + 1,
    strength(named) {
      if (/^(?:passcode|passwort|pincode)$/i.test(named.name)) return 'phrase';
      return isShortFlag(named) ? 'bare' : 'adjacent';
    },
  },
];

const anywhere = rules.filter(({ after }) => after === undefined);
/** The rules that apply behind each unit of ASCII, in order. */
const rulesAfter = once(() =>
  Array.from({ length: 128 }, (_, code) =>
    rules.filter(({ after }) => after === undefined || after.includes(String.fromCharCode(code))),
  ),
);

/** Reports the value of a name: where it ends, or -1. */
export function findValue(named: Named, out: Finding[]): number {
  const { text, end, next, kind } = named;
  for (const rule of rulesAfter()[next] ?? anywhere) {
    const from = rule.from(named);
    if (from < 0) continue;
    const place = {
      from,
      kind: rule.kind?.(named) ?? kind,
      strength: typeof rule.strength === 'string' ? rule.strength : rule.strength(named),
      inQuery: rule.inQuery?.(named) === true,
    };
    const until = readValue(text, place, out);
    if (until >= 0 || rule.isOnly === true) return until;
  }
  // A made-up value soon after the word, on its line.
  if (!sentenceUnits.includes(text[end] as string) || (kind === 'weak' && !named.isOwnKey) || kind === 'id') return -1;
  return readNearby(text, end, atLeastToken(named), out);
}
