import { type Detector, standsAlone } from './detector.ts';

const versionWord = /(?:version|ver|v|release|build|sdk|firmware|driver|chrome|python|node|java|kernel|section|rfc)[\s.:=/]*$/i;

function isIpv4(match: RegExpExecArray, text: string): boolean {
  const end = match.index + match[0].length;
  if (!standsAlone(text, match.index, end) || /[.]\d/.test(text.slice(end, end + 2)) || (text[match.index - 1] === '.' && /\d/.test(text[match.index - 2] ?? ''))) return false;
  const bytes = (match[0].split(/[/:]/)[0] ?? '').split('.').map(Number);
  return bytes.every((byte) => byte <= 255) && !versionWord.test(text.slice(Math.max(0, match.index - 12), match.index));
}

function isIpv6(match: RegExpExecArray, text: string): boolean {
  const address = (match[0].split(/[%/]/)[0] ?? '').toLowerCase();
  if (/[\w:]/.test(text[match.index - 1] ?? '') || /[\w:]/.test(text[match.index + match[0].length] ?? '')) return false;
  const halves = address.split('::');
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => half.split(':').filter(Boolean));
  const words = groups.reduce((sum, group) => sum + (group.includes('.') ? 2 : 1), 0);
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/.test(group) || /^\d{1,3}(?:\.\d{1,3}){3}$/.test(group))) return false;
  // `10:30::` and C++'s `std::` are not addresses: at least two groups, one of them more than a clock would show.
  return halves.length === 2 ? words >= 2 && words <= 7 && (/[a-f]/.test(address) || groups.some((group) => group.length > 2)) : words === 8;
}

export const networkDetectors: readonly Detector[] = [
  { type: 'MAC', rank: 68, anchor: /[0-9A-Fa-f]{2}[:-][0-9A-Fa-f]{2}[:-]|[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}/, pattern: /(?:[0-9A-Fa-f]{2}([:-]))(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}|[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}/g, accept: (match, text) => standsAlone(text, match.index, match.index + match[0].length) && !/[:-]/.test(text[match.index + match[0].length] ?? '') && !/[:-]/.test(text[match.index - 1] ?? '') },
  { type: 'IP', rank: 64, anchor: /\d\.\d{1,3}\./, pattern: /\d{1,3}(?:\.\d{1,3}){3}(?:\/\d{1,2})?/g, accept: isIpv4 },
  { type: 'IP', rank: 65, anchor: /[0-9A-Fa-f]?:[0-9A-Fa-f:]/, pattern: /(?:[0-9A-Fa-f]{0,4}:){2,7}(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4})(?:%[A-Za-z0-9]{1,16})?(?:\/\d{1,3})?/g, accept: isIpv6 },
];
