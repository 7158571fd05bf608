import { detect, type Detector, standsAlone } from './detector.ts';
import type { Family } from './family.ts';

/** Keys that say what they are: prefix, alphabet, length, as their providers document them. A table of formats; a checksum never drops a match. */
const prefixes: readonly string[] = [
  'sk-(?:proj-|svcacct-|admin-|ant-(?:api|admin)\\d\\d-|or-v1-)?[A-Za-z0-9_-]{20,200}',
  'gh[pousr]_[A-Za-z0-9]{30,255}', 'github_pat_[A-Za-z0-9_]{50,255}', 'gl(?:pat|rt|dt|ptt|cbt|soat|agent|imt|ft|ffct)-[A-Za-z0-9_.-]{16,64}',
  '(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA|AGPA|AIDA|AROA|ANPA|ANVA|AIPA)[A-Z0-9]{16}', 'xox[abeoprs]-[A-Za-z0-9-]{10,250}', 'xapp-\\d-[A-Za-z0-9-]{10,250}', 'xoxe\\.xox[bp]-\\d-[A-Za-z0-9]{100,200}',
  'AIza[A-Za-z0-9_-]{35}', 'ya29\\.[A-Za-z0-9_-]{20,250}', 'GOCSPX-[A-Za-z0-9_-]{28}', 'SG\\.[A-Za-z0-9_-]{16,32}\\.[A-Za-z0-9_-]{16,64}', 'npm_[A-Za-z0-9]{36}', 'pypi-[A-Za-z0-9_-]{16,250}', 'hf_[A-Za-z0-9]{30,40}', 'api_org_[A-Za-z0-9]{30,40}',
  '(?:sk|pk|rk)_(?:live|test|prod)_[A-Za-z0-9]{10,120}', 'whsec_[A-Za-z0-9+/=]{20,80}', '(?:AC|SK)[0-9a-f]{32}', 'key-[0-9a-f]{32}', 'sq0[a-z]{3}-[A-Za-z0-9_-]{22,43}', 'EAAA[A-Za-z0-9_-]{60}', 'EAAC[A-Za-z0-9]{20,250}',
  'dop_v1_[0-9a-f]{64}', 'do[or]_v1_[0-9a-f]{64}', 'shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}', 'lin_(?:api|oauth)_[A-Za-z0-9]{32,64}', 'pat[A-Za-z0-9]{14}\\.[0-9a-f]{64}', 'PMAK-[0-9a-f]{24}-[0-9a-f]{34}', 'NRAK-[A-Z0-9]{27}',
  'NR[AIJ]{2}-[A-Za-z0-9]{20,64}', 'glc_[A-Za-z0-9+/=]{32,250}', 'glsa_[A-Za-z0-9]{32}_[0-9a-f]{8}', 'dapi[0-9a-f]{32}(?:-\\d)?', 'hv[sbr]\\.[A-Za-z0-9_-]{24,250}', 'dckr_pat_[A-Za-z0-9_-]{27}', 'dp\\.(?:pt|st|sa|ct|scim|audit)\\.[A-Za-z0-9_.-]{30,80}',
  'atlasv1\\.[A-Za-z0-9_-]{20,120}', '[A-Za-z0-9]{14}\\.atlasv1\\.[A-Za-z0-9_-]{60,70}', 'secret_[A-Za-z0-9]{43}', 'ntn_[A-Za-z0-9]{40,60}', 'rdme_[a-z0-9]{70}', 'sntry[su]_[A-Za-z0-9+/=_-]{40,250}', 'phc_[A-Za-z0-9]{30,60}', 'phx_[A-Za-z0-9]{30,60}',
  'gsk_[A-Za-z0-9]{40,64}', 'xai-[A-Za-z0-9]{60,100}', 'r8_[A-Za-z0-9]{36,40}', 'pplx-[A-Za-z0-9]{40,64}', 'co_[A-Za-z0-9]{36,48}', 'fw_[A-Za-z0-9]{20,32}', 'nvapi-[A-Za-z0-9_-]{60,80}', 'AGE-SECRET-KEY-1[0-9A-Z]{58}',
  'CCIPAT_[A-Za-z0-9_]{40,80}', 'bkua_[0-9a-f]{40}', 'tskey-[a-z]{2,12}-[A-Za-z0-9-]{10,60}', 'ATATT3[A-Za-z0-9_=-]{150,250}', 'ATCTT3[A-Za-z0-9_=-]{100,250}', 'ops_eyJ[A-Za-z0-9_=-]{200,2000}', 'rubygems_[0-9a-f]{48}', 'cio[A-Za-z0-9]{32}', 'figd_[A-Za-z0-9_-]{40}',
  '\\d{8,10}:AA[A-Za-z0-9_-]{33}', '[MNO][A-Za-z0-9_-]{23,27}\\.[A-Za-z0-9_-]{6}\\.[A-Za-z0-9_-]{27,45}', 'SK[a-z0-9]{30,34}', 'pscale_(?:tkn|oauth|pw)_[A-Za-z0-9_.-]{32,64}', 'oy2[a-z0-9]{43}', 'AKCp[A-Za-z0-9]{10,80}', 'cmVmdGtuO[A-Za-z0-9]{40,80}', 'LTAI[A-Za-z0-9]{12,24}', 'AccountKey=[A-Za-z0-9+/=]{60,100}',
];
const prefixed = new RegExp(prefixes.join('|'), 'g');

/** Words in front of a secret, in the languages that support desks meet; matched as part of names like `DB_PASSWORD` or `clientSecret` too. */
const secretWord = '(?:pass(?:word|wd|phrase|code)?|pwd|secret(?:[_-]?(?:key|access[_-]?key))?|api[_ -]?key|apikey|access[_ -]?(?:key|token)|auth(?:[_ -]?(?:token|key))?|private[_ -]?key|client[_ -]?secret|(?:refresh|bearer|session|id)?[_ -]?token|credentials?|pin[_ -]?code|passwort|kennwort|contraseña|clave|mot de passe|senha|parola|hasło|wachtwoord|lösenord|пароль|密码|パスワード|암호)';
const assigned = new RegExp(`${secretWord}["'\`]?\\s{0,3}(?:is|was|ist|es|est|é|lautet|[:=]{1,2}>?|：|->|=>)\\s{0,3}["'\`]?([^\\s"'\`,;<>(){}[\\]]{6,200})`, 'giu');

/** Words that stand where a secret would, and shapes of code: variables, calls, placeholders. */
const placeholder = /^(?:[*•xX.]+|null|none|undefined|true|false|string|required|optional|changeme|redacted|example|your[_-].*|my[_-]?password|process\.env.*|os\.environ.*|\$\{?.*|%.*%|<.*>|\[[A-Z_]+.*|[a-z]+)$/i;
function looksSecret(match: RegExpExecArray): boolean | { start: number; end: number } {
  const value = (match[1] ?? '').replace(/[.!?。]+$/, '');
  if (value.length < 6 || placeholder.test(value)) return false;
  const classes = [/[a-z]/, /[A-Z]/, /\d/, /[^A-Za-z0-9]/].filter((test) => test.test(value)).length;
  const wordy = /^(?:\p{L}+[-_.])*\p{L}+$/u.test(value);
  if (classes < 2 || (wordy && !/\d/.test(value))) return false;
  const start = match.index + match[0].length - (match[1] ?? '').length;
  return { start, end: start + value.length };
}

const isJwt = (match: RegExpExecArray): boolean => {
  try {
    return Buffer.from(match[0].split('.')[0] ?? '', 'base64url').toString('utf8').startsWith('{"');
  } catch {
    return false;
  }
};

const secretDetectors: readonly Detector[] = [
  { type: 'SECRET_PRIVATE_KEY', rank: 100, anchor: /-----BEGIN|PRIVATE KEY/, pattern: /-----BEGIN (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----[A-Za-z0-9+/=\s\\.:,-]{0,8192}?(?:-----END (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----|$(?![\s\S]))|-----BEGIN (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----(?:\s{0,4}[A-Za-z0-9+/=\\]{1,400}){0,40}/g },
  { type: 'SECRET_JWT', rank: 95, anchor: /eyJ/, pattern: /eyJ[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{4,8000}(?:\.[A-Za-z0-9_-]{0,2000})?/g, accept: isJwt },
  {
    type: 'SECRET_CONNECTION', rank: 90, anchor: /:\/\//,
    pattern: /\b[a-z][a-z0-9+.-]{1,30}:\/\/[^\s/:@"'<>]{0,128}:[^\s/@"'<>]{1,256}@[^\s"'<>]{1,512}/gi,
  },
  { type: 'SECRET_URL', rank: 88, anchor: /hooks\.slack|webhook|[?&](?:sig|signature|token|key|X-Amz|se)=/i, pattern: /https?:\/\/[^\s"'<>]{1,512}?(?:hooks\.slack\.com\/[^\s"'<>]{10,200}|\/api\/webhooks\/[^\s"'<>]{10,200}|webhook\.office\.com\/[^\s"'<>]{10,400}|[?&](?:X-Amz-Signature|sig|signature|access_token|token|api_key|apikey|key)=[^\s"'<>&]{8,512}[^\s"'<>]{0,512})|https?:\/\/hooks\.slack\.com\/[^\s"'<>]{10,200}/gi },
  { type: 'SECRET_KEY', rank: 85, anchor: /[A-Za-z0-9][-_.:][A-Za-z0-9]|AIza|AKIA|ASIA|A3T|SK|AC|dapi|LTAI|oy2|EAA|AKCp|cmVm|pat|cio|AROA|AIDA/, pattern: prefixed, accept: (match, text) => (match.index === 0 || !/[A-Za-z0-9]/.test(text[match.index - 1] ?? '')) && /\d/.test(match[0]) },
  { type: 'SECRET_KEY', rank: 84, anchor: /bearer|basic|authorization/i, pattern: /\b(?:bearer|basic)\s{1,3}([A-Za-z0-9._~+/=-]{16,1000})/gi, accept: (match) => { const start = match.index + match[0].length - (match[1] ?? '').length; return /\d|[A-Z].*[a-z]/.test(match[1] ?? '') && { start, end: match.index + match[0].length }; } },
  { type: 'SECRET_KEY', rank: 83, anchor: /aws|secret|access/i, pattern: /(?:aws|secret)[^\n]{0,40}?["'=: ]([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+])/gi, accept: (match, text) => { const end = match.index + match[0].length; const start = end - 40; return standsAlone(text, start, end) && /[a-z]/.test(match[1] ?? '') && /[A-Z]/.test(match[1] ?? '') && /\d/.test(match[1] ?? '') && { start, end }; } },
  { type: 'SECRET_GENERIC', rank: 40, anchor: /pass|pwd|secret|key|token|auth|cred|pin|kennw|contras|clave|mot de|senha|parola|has[łl]o|wachtw|l[öo]sen|парол|密码|パス|암호/i, pattern: assigned, accept: looksSecret },
];

/** The table behind the engine's type; every text with an anchor is looked at whole. */
export const secretFamily: Family = {
  name: 'secrets',
  anchors: ['://', '-----begin', 'private key', 'eyj', 'pass', 'pwd', 'secret', 'key', 'token', 'auth', 'cred', 'pin', 'kennw', 'contras', 'clave', 'mot de', 'senha', 'parola', 'has', 'wachtw', 'sen', 'sk-', 'ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_', 'github_pat_', 'gl', 'akia', 'asia', 'a3t', 'xox', 'xapp-', 'aiza', 'ya29.', 'gocspx', 'sg.', 'npm_', 'pypi-', 'hf_', 'api_org', '_live_', '_test_', '_prod_', 'whsec_', 'ac', 'sk', 'sq0', 'eaa', 'dop_', 'doo_', 'dor_', 'shp', 'lin_', 'pat', 'pmak-', 'nrak-', 'nr', 'glc_', 'glsa_', 'dapi', 'hv', 'dckr_', 'dp.', 'atlasv1', 'ntn_', 'rdme_', 'sntry', 'phc_', 'phx_', 'gsk_', 'xai-', 'r8_', 'pplx-', 'co_', 'fw_', 'nvapi-', 'age-secret', 'ccipat', 'bkua_', 'tskey-', 'atatt3', 'atctt3', 'ops_', 'rubygems_', 'cio', 'figd_', ':aa', 'pscale_', 'oy2', 'akcp', 'cmvm', 'ltai', 'accountkey', 'bearer', 'basic', 'webhook', 'hooks.', 'sig', 'aws', 'm', 'n', 'o'],
  find(text, _hits, _context, out) {
    for (const detector of secretDetectors) detect(text, detector, 10_000, out);
  },
};
