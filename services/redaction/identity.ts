import { type Detector, standsAlone } from './detector.ts';

const ssnWord = /(?:ssn|social\s+security|soc\.?\s*sec|tax\s+id|itin)[^\n]{0,24}$/i;
/** SSA never issues area 000, 666 or 900-999, group 00, serial 0000. */
function isSsn(match: RegExpExecArray, text: string): boolean {
  if (!standsAlone(text, match.index, match.index + match[0].length)) return false;
  const [area = '', group = '', serial = ''] = [match[1], match[3], match[4]];
  if (/^(?:000|666|9)/.test(area) || group === '00' || serial === '0000') return false;
  const separated = (match[2] ?? '') !== '';
  return (separated && match[2] !== '.') || ssnWord.test(text.slice(Math.max(0, match.index - 40), match.index));
}

const birthWord = /(?:born|birth|dob|d\.o\.b|geboren|geburtsdatum|né[e]? le|naissance|nacid|nacimiento|nascid|nato il|data di nascita|geboortedatum|urodzon|生年月日|出生)[^\n]{0,24}$/i;

export const identityDetectors: readonly Detector[] = [
  { type: 'US_SSN', rank: 70, anchor: /\d{3}/, pattern: /(\d{3})([- \u00a0.]?)(\d{2})\2(\d{4})(?!\d)/g, accept: isSsn },
  {
    type: 'DATE_OF_BIRTH', rank: 66, anchor: /\d{4}/,
    pattern: /\b(?:(?:19|20)\d\d[-./](?:0?[1-9]|1[0-2])[-./](?:0?[1-9]|[12]\d|3[01])|(?:0?[1-9]|[12]\d|3[01])[-./](?:0?[1-9]|[12]\d|3[01])[-./](?:19|20)\d\d|(?:0?[1-9]|[12]\d|3[01])\.? (?:\p{L}{3,12}) (?:19|20)\d\d|\p{L}{3,12} (?:0?[1-9]|[12]\d|3[01]), (?:19|20)\d\d)\b/gu,
    accept: (match, text) => birthWord.test(text.slice(Math.max(0, match.index - 40), match.index)),
  },
];
