/** IP addresses of both families with zone and prefix length, also defanged, and hardware addresses. */
import type { Detector, Task } from '../detector.ts';
import type { Finding } from '../finding.ts';
import { pattern } from '../pattern.ts';
import { type Chain, standsAlone } from './chain.ts';
import { says } from './context.ts';
import { contextIn, contextOf, type NumberTask } from './number-task.ts';

const versionBefore = pattern('i')`
    (?:version|\bver|\bv|release|build|sdk|firmware|driver|chrome|firefox|safari|edge|opera|python|node|java
    |kernel|section|chapter|rfc|clause|upgrade[d]? (?:from|to)|assemblyversion|productversion
    |fileversion)["'\s.:=/]*$
  `;
const byte = (text: string): boolean =>
  text.length <= 3 && Number(text) <= 255 && (text.length === 1 || text[0] !== '0');

/** Resolvers of the public: whoever asks one of them says nothing of himself. */
const resolvers = pattern()`
    ^(?:1\.1\.1\.[1-3]|1\.0\.0\.[1-3]|8\.8\.8\.8|8\.8\.4\.4|9\.9\.9\.(?:9|10|11)|149\.112\.112\.(?:112|10|11)
    |208\.67\.22[02]\.22[02]|94\.140\.1[45]\.1[456]|4\.2\.2\.[1-6]|64\.6\.6[45]\.6|77\.88\.8\.[18]
    |114\.114\.11[45]\.11[45]|223\.[56]\.[56]\.[56]|185\.228\.16[89]\.[91]|168\.63\.129\.16|169\.254\.169\.254)$
  `;
/** Every machine has it: any address, any network, itself, a mask. */
const everybodys = /^(?:0\.0\.0\.0|127\.\d+\.\d+\.\d+|255\.(?:\d+)\.(?:\d+)\.(?:\d+))$/;
/** A setting, a rule, a link or a port, not somebody's machine. */
const settingBefore = pattern('i')`
    (?:\b(?:bind(?:s|ing)?|bound|listen(?:s|ing|er)?|serv(?:e|es|ed|ing)|expose[sd]?|publish(?:es|ed)?|hosts?
    |interfaces?|(?:sub)?net_?mask|mask|routes?|gateway|cidr\w{0,6}|ingress|egress
    |allow(?:s|ed)?|deny|accept|any|addr(?:ess)?
    |destination|default_?route|inet|server|source|src|running|runs|started|available|up|open|proxy_pass
    |upstream|port)\b|_(?:HOST|ADDR|ADDRESS|BIND|LISTEN|URL))
    (?:["'\x60\s:=@(]|\b(?:to|on|at|is|the|via|address|interface|from|add|ip|of|port)\b){1,12}$
    |\w:\/\/(?:[^\s/@]{1,60}@)?$|--?[a-z][a-z-]{0,16}[= ]["']?$
  `;
const isLabelled = /^\W*\w*\W*$/;
const lineBefore = (text: string, start: number): string =>
  text
    .slice(Math.max(0, start - 64), start)
    .split('\n')
    .at(-1) ?? '';
/** Nobody's address, where the text does not speak of it as somebody's. */
function isNobodys(text: string, start: number, end: number): boolean {
  const address = text.slice(start, end);
  if (resolvers.test(address)) return true;
  if (!everybodys.test(address)) return false;
  // Alone, or behind one word, it may be somebody's list of addresses.
  if (
    !address.startsWith('127') &&
    !(isLabelled.test(lineBefore(text, start)) && !/^[^\n]*\w/.test(text.slice(end + 3, end + 40)))
  )
    return true;
  return (
    /^:\d{1,5}(?!\d)/.test(text.slice(end, end + 6)) || settingBefore.test(text.slice(Math.max(0, start - 64), start))
  );
}

/** Four groups from `a`, joined by dots. Returns the last group, or -1. */
export function ipv4From(task: NumberTask, { groups, separators }: Chain, a: number): number {
  if (!(separators[a] as string).includes('.')) return -1;
  const { text, out } = task;
  const defanged = separators[a] !== '.';
  const dot = defanged ? /^(?: ?\. ?|\(\.\))$/ : /^\.$/;
  for (let index = a; index < a + 3; index += 1) if (!dot.test(separators[index] ?? '')) return -1;
  const first = groups[a];
  const last = groups[a + 3];
  if (first === undefined || last === undefined) return -1;
  for (let index = a; index < a + 4; index += 1)
    if (!byte(text.slice((groups[index] as Chain['groups'][0]).start, (groups[index] as Chain['groups'][0]).end)))
      return -1;
  if (
    separators[a + 3] === '.' ||
    (a > 0 && /^[.-]$/.test(separators[a - 1] as string)) ||
    !standsAlone(text, first.start, last.end)
  )
    return -1;
  if (text[first.start - 1] === ':' && /[0-9a-fA-F:]/.test(text[first.start - 2] ?? '')) return -1;
  const before = text.slice(Math.max(0, first.start - 24), first.start);
  if (versionBefore.test(before)) return -1;
  if (!defanged && isNobodys(text, first.start, last.end)) return a + 3;
  let score = defanged ? 0.55 : 0.85;
  const context = contextOf(task, first.start, last.end);
  if (context.before.at(-1) === 'version') score -= 0.5;
  const prefix = /^\/(?:3[0-2]|[12]?\d)(?!\d|\.\d)/.exec(text.slice(last.end, last.end + 4));
  out.push({ start: first.start, end: last.end + (prefix?.[0].length ?? 0), type: 'IP', rank: 64, score });
  return a + 3;
}

const defangedDots = /(?<![\w.])\d{1,3}(?:(?:\[\.\]|\(\.\)|\[dot\]| dot |\.)\d{1,3}){3}(?![\w.])/g;
/** `192[.]168[.]1[.]10`, around literals that the caller found. */
function findDefanged(text: string, at: number, out: Finding[]): void {
  const from = Math.max(0, at - 24);
  defangedDots.lastIndex = 0;
  for (const match of text.slice(from, at + 40).matchAll(defangedDots))
    if (match[0].split(/\D+/).every(byte))
      out.push({
        start: from + match.index,
        end: from + match.index + match[0].length,
        type: 'IP',
        rank: 66,
        score: 0.8,
      });
}

const resolversOfSix = /^(?:2606:4700:4700::1[01][01][123]|2001:4860:4860::88(?:88|44)|2620:fe::(?:fe|9|10|11))$/i;
const isNobodysOfSix = (text: string, start: number, end: number): boolean =>
  resolversOfSix.test(text.slice(start, end)) ||
  (/^::1?$/.test(text.slice(start, end)) &&
    (/^\]:\d{1,5}(?!\d)/.test(text.slice(end, end + 8)) ||
      settingBefore.test(text.slice(Math.max(0, start - 64), start).replace(/\[$/, ''))));

const isColonUnit = (code: number): boolean =>
  (code >= 48 && code <= 58) || (code >= 97 && code <= 102) || (code >= 65 && code <= 70) || code === 46;

const labelEnd = /(?<![A-Za-z0-9_])[A-Za-z_]{2,16}$/;
function isIpv6(address: string): boolean {
  const halves = address.split('::');
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  let words = 0;
  for (const [index, group] of groups.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(group)) words += 1;
    else if (index === groups.length - 1 && /^\d{1,3}(?:\.\d{1,3}){3}$/.test(group) && group.split('.').every(byte))
      words += 2;
    else return false;
  }
  return halves.length === 2 ? words <= 7 : words === 8;
}

/** What colons join: IPv6 or a hardware address. */
function findColons(task: Task): void {
  const { text, hints, out } = task;
  let done = -1;
  for (const at of hints.colons) {
    if (at < done) continue;
    const next = text.charCodeAt(at + 1);
    const previous = at > 0 ? text.charCodeAt(at - 1) : 0;
    if (!isColonUnit(next) && !(previous === 58 || (isColonUnit(previous) && text.charCodeAt(at - 2) === 58))) continue;
    let start = at;
    while (start > 0 && at - start < 64 && isColonUnit(text.charCodeAt(start - 1))) start -= 1;
    let end = at + 1;
    while (end < text.length && end - at < 64 && isColonUnit(text.charCodeAt(end))) end += 1;
    done = end;
    // A time of day, a port, a label: one colon is neither.
    let more = 0;
    for (let unit = at + 1; unit < end && more === 0; unit += 1) more = text.charCodeAt(unit) === 58 ? 1 : 0;
    if (more === 0) continue;
    // Dots and dashes of a sentence around an address are none of its own.
    while (text[start] === '.' && start < at) start += 1;
    if (start > 0 && !standsAlone(text, start, text.length)) {
      // `mac:00:1b...`: the letters before the first colon are a label.
      const label = text.indexOf(':', start);
      if (!labelEnd.test(text.slice(Math.max(0, label - 18), label)) || text[label + 1] === ':') continue;
      start = label;
    }
    while (end > start && (text[end - 1] === '.' || (text[end - 1] === ':' && text[end - 2] !== ':'))) end -= 1;
    // `IP:fe80::1` keeps its label's colon out.
    if (text[start] === ':' && text[start + 1] !== ':') start += 1;
    const value = text.slice(start, end);
    if (/^[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}$/.test(value)) {
      pushMac(text, start, end, value, out);
      continue;
    }
    if (/[A-Za-z0-9_]/.test(text[end] ?? '') || !isIpv6(value)) continue;
    if (isNobodysOfSix(text, start, end)) continue;
    const compressed = value.includes('::');
    let score = 0.9;
    if (value === '::')
      score = /^(?:\/0)/.test(text.slice(end)) ? 0.6 : says(contextIn(task, start, end), 'ip') ? 0.45 : 0;
    else if (compressed && !/[a-fA-F]/.test(value) && value.length < 7 && value !== '::1')
      score = says(contextIn(task, start, end), 'ip') ? 0.7 : 0.2;
    else if (compressed && /^[a-fA-F]{1,4}::[a-fA-F]{1,4}$|^::[a-fA-F]{1,4}$|^[a-fA-F]{2,4}::$/.test(value))
      score = 0.3;
    const tail =
      /^(?:%[A-Za-z0-9_.-]{1,16})?(?:\/(?:12[0-8]|1[01]\d|\d{1,2})(?!\d))?/.exec(text.slice(end, end + 24))?.[0]
        .length ?? 0;
    out.push({ start, end: end + tail, type: 'IP', rank: 65, score });
  }
}

/** Broadcast and empty addresses name no device. */
function pushMac(text: string, start: number, end: number, value: string, out: Finding[]): void {
  if (
    /^(?:0+|f+)$/i.test(value.replaceAll(/[^0-9a-fA-F]/g, '')) ||
    !standsAlone(text, start, end) ||
    /^[:-][0-9a-fA-F]/.test(text.slice(end, end + 2))
  )
    return;
  out.push({ start, end, type: 'MAC', rank: 68, score: 0.9 });
}

const dashed = /^[0-9a-fA-F]{2}(?:-[0-9a-fA-F]{2}){5}(?![\w-])/;
const cisco = /^[0-9a-fA-F]{4}\.[0-9a-fA-F]{4}\.[0-9a-fA-F]{4}(?![\w.]\w)/;
/** Hardware addresses with dashes or dots; `at` = their first separators. */
function findMacs(text: string, separators: readonly number[], out: Finding[]): void {
  let done = -1;
  for (const at of separators) {
    const start = at - (text[at] === '.' ? 4 : 2);
    if (at < done || start < 0) continue;
    const match = (text[at] === '.' ? cisco : dashed).exec(text.slice(start, start + 20));
    if (!match || /[.-]/.test(text[start - 1] ?? '')) continue;
    pushMac(text, start, start + match[0].length, match[0], out);
    done = start + match[0].length;
  }
}

/** Brackets and words that stand for the dots of an address which must not be followed. */
const defangedBy = ['[.]', '(.)', '[dot]', '(dot)', ' dot '];

export const networkDetector: Detector = {
  name: 'addresses of networks and hardware',
  tier: 'structured',
  types: ['IP', 'MAC'],
  literals: defangedBy,
  hints: ['colons', 'macs'],
  find(task) {
    const { text, hints, hits, budget, out } = task;
    for (let hit = 1; hit < hits.length; hit += 2) {
      const at = hits[hit] as number;
      if (/\d/.test(text[at - 1] ?? '')) findDefanged(text, at, out);
    }
    budget.left -= hints.colons.length;
    if (budget.left <= 0) return;
    if (hints.colons.length > 0) findColons(task);
    if (hints.macs.length > 0) findMacs(text, hints.macs, out);
  },
};
