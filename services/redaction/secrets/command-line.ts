/**
 * Passwords among the arguments of commands whose flags are known; long flags (`--password=`) are names like any other
 * (`named-value.ts`).
 */
import { once } from '../once.ts';
import { pattern } from '../pattern.ts';
import type { SecretRule } from './secret-rule.ts';
import { isRandom, isStandIn } from './plausible.ts';
import { argumentEnd } from './value-end.ts';

/**
 * Command, and where its arguments hold a password (group 1). Each pattern is tried on the rest of the command, at most
 * 300 units.
 */
const q = `["']?`;
/** In quotes, anything: an argument that a mark opens ends with it. */
const word = `((?<=["'][^\\s"']{0,80})[^"'\\n]{1,200}|[^\\s"'|;<>]{1,200})`;
const flag = (name: string): RegExp => new RegExp(`\\s-${name}[ =]{0,2}${q}${word}`);
type Command = readonly [command: string, argument: RegExp];
const programs = once((): readonly Command[] => [
  ...['mysql', 'mysqldump', 'mysqladmin', 'mariadb'].map((name): Command => [name, new RegExp(`\\s-p${q}${word}`)]),
  ['sshpass', flag('p')],
  ['redis-cli', flag('a')],
  ['mongo', flag('p')],
  ['mongodump', flag('p')],
  ['docker login', flag('p')],
  ['podman login', flag('p')],
  ['helm registry login', flag('p')],
  ['oc login', flag('p')],
  ['az login', flag('p')],
  ['curl', new RegExp(`\\s(?:-u|--user|-U|--proxy-user)[ =]?${q}[^\\s"':]{1,80}:${word}`)],
  ['http ', new RegExp(`\\s-a[ =]?${q}[^\\s"':]{1,80}:${word}`)],
  ['wget', new RegExp(`\\s--(?:http-)?passw(?:or)?d[ =]${q}${word}`)],
  ['ldapsearch', flag('w')],
  ['ldapmodify', flag('w')],
  ['ldapadd', flag('w')],
  ['sqlcmd', flag('P')],
  ['bcp ', flag('P')],
  ['isql', flag('P')],
  ['mosquitto_pub', flag('P')],
  ['mosquitto_sub', flag('P')],
  ['htpasswd', /\s-[a-zA-Z]*b[a-zA-Z]*\s+\S{1,120}\s+\S{1,60}\s+["']?([^\s"'|;<>]{3,200})/],
  ['openssl', new RegExp(`\\s-(?:pass|passin|passout|k|passwd)\\s{1,2}(?:pass:)?${word}`)],
  ['keytool', new RegExp(`\\s-(?:store|key)pass\\s{1,2}${word}`)],
  ['zip ', flag('P')],
  ['unzip', flag('P')],
  ['7z ', /\s-p([^\s"'|;<>]{3,200})/],
  ['unrar', /\s-p([^\s"'|;<>]{3,200})/],
  ['plink', flag('pw')],
  ['pscp', flag('pw')],
  ['psexec', flag('p')],
  ['xfreerdp', /\s\/p:["']?([^\s"'|;<>]{3,200})/],
  ['rdesktop', flag('p')],
  [
    'net use',
    /\s\/user:\S{1,80}\s+["']?([^\s"'|;<>*/]{3,200})|\sX?:?\s?\\\\\S+\s+["']?([^\s"'|;<>*/-]{6,200})\s+\/user/i,
  ],
  ['net user', /\s\S{1,60}\s+["']?([^\s"'|;<>*/]{6,200})["']?\s+\/add/i],
  ['cmdkey', /\s\/pass:["']?([^\s"'|;<>]{3,200})/i],
  ['schtasks', /\s\/rp\s+["']?([^\s"'|;<>]{3,200})/i],
  ['smbclient', new RegExp(`\\s-U\\s{0,2}${q}[^\\s"'%]{1,80}%${word}`)],
  ['rpcclient', new RegExp(`\\s-U\\s{0,2}${q}[^\\s"'%]{1,80}%${word}`)],
  ['snmpget', flag('[AX]')],
  ['snmpwalk', flag('[AX]')],
  ['ipmitool', flag('P')],
  ['evil-winrm', flag('p')],
  ['crackmapexec', flag('p')],
  ['impacket-', /\s[\w.-]{1,40}(?:\/[\w.-]{1,40})?:([^\s@"']{3,80})@/],
  ['sqlplus', /\s["']?[\w.$#-]{1,40}\/["']?([^\s"'@|;<>]{3,80})/],
  ['chpasswd', /^$/],
]);
/** Statements of SQL and of configurations, and calls in code. */
const statements = once((): readonly Command[] => [
  ['--from-literal', new RegExp(`^[ =]["']?[\\w.-]{1,100}=${q}${word}`)],
  ['requirepass', /^\s{1,3}["']?([^\s"'|;<>]{3,200})/],
  ['masterauth', /^\s{1,3}["']?([^\s"'|;<>]{3,200})/],
  ['convertto-securestring', /^(?:\s+-(?:string|asplaintext|force)){0,3}\s+["']([^"'\n]{3,200})["']/i],
  ['identified by ', /^(?:password\s)?["']([^"'\n]{3,200})["']/i],
  ['identified with ', /^\w{1,40}\s+(?:by|as)\s+["']([^"'\n]{3,200})["']/i],
  ['with password ', /^["']([^"'\n]{3,200})["']/i],
  ['encrypted password ', /^["']([^"'\n]{3,200})["']/i],
  ['networkcredential(', /^\s?["'][^"'\n]{0,80}["']\s?,\s?["']([^"'\n]{3,200})["']/i],
  ['passwordauthentication(', /^\s?["'][^"'\n]{0,80}["']\s?,\s?["']([^"'\n]{3,200})["']/i],
  ['httpbasicauth(', /^\s?["'][^"'\n]{0,80}["']\s?,\s?["']([^"'\n]{3,200})["']/i],
  ['credentials(', /^\s?["'][^"'\n]{0,80}["']\s?,\s?["']([^"'\n]{3,200})["']/i],
  ['acl setuser ', /\s>([^\s"'|;]{3,200})/],
  ['basicauth(', /^\s?["'][^"'\n]{0,80}["']\s?,\s?["']([^"'\n]{3,200})["']/i],
  ['auth=(', /^\s?["'][^"'\n]{0,80}["']\s?,\s?["']([^"'\n]{3,200})["']/i],
  ['basic_auth(', /^\s?["'][^"'\n]{0,80}["']\s?,\s?["']([^"'\n]{3,200})["']/i],
  ['.login(', /^\s?["'][^"'\n]{1,80}["']\s?,\s?["']([^"'\n]{4,200})["']/i],
  ['getconnection(', /^\s?["'][^"'\n]{1,200}["']\s?,\s?["'][^"'\n]{0,80}["']\s?,\s?["']([^"'\n]{3,200})["']/i],
  ['mysqli(', /^\s?["'][^"'\n]{1,200}["']\s?,\s?["'][^"'\n]{0,80}["']\s?,\s?["']([^"'\n]{3,200})["']/i],
  ['mysqli_connect(', /^\s?["'][^"'\n]{1,200}["']\s?,\s?["'][^"'\n]{0,80}["']\s?,\s?["']([^"'\n]{3,200})["']/i],
  ['mysql_connect(', /^\s?["'][^"'\n]{1,200}["']\s?,\s?["'][^"'\n]{0,80}["']\s?,\s?["']([^"'\n]{3,200})["']/i],
  ['new pdo(', /^\s?["'][^"'\n]{1,200}["']\s?,\s?["'][^"'\n]{0,80}["']\s?,\s?["']([^"'\n]{3,200})["']/i],
  ['login ', /^\S{1,80}\s+password\s+["']?([^\s"']{3,200})/],
  ['enable secret ', /^(?:\d\s)?([^\s"']{3,120})/],
  ['enable password ', /^(?:\d\s)?([^\s"']{3,120})/],
  ['password 7 ', /^([0-9A-F]{6,60})/],
  ['snmp-server community ', /^([^\s"']{3,60})/],
  ['pre-shared-key ', /^(?:ascii-text\s|hex\s|local\s|remote\s|\d\s)?["']?([^\s"']{3,120})/],
  ['key-string ', /^(?:\d\s)?([^\s"']{3,120})/],
  ['wpa_passphrase', /^=([^\s"']{8,63})/],
  ['psk=', /^["']?([^\s"']{8,64})/],
]);
const commands = once(() => [...programs(), ...statements()]);

/** Up to the end of the command; what is in quotes ends none. */
const oneCommand = /^(?:'[^'\n\r]*'|"(?:\\.|[^"\\\n\r])*"|[^\n\r;|])*/;

export const commandLines: SecretRule = {
  get literals() {
    return commands().map(([command]) => command);
  },
  findAt(text, at, literal, out) {
    const entry = commands()[literal];
    if (
      entry === undefined ||
      (/[A-Za-z0-9_]/.test(text[at - 1] ?? ' ') && /^[a-z]/.test(entry[0]) && !/[(=]$/.test(entry[0]))
    )
      return at;
    // The blank behind a program's name is the one before its flag.
    const from = at + (literal < programs().length ? entry[0].trimEnd() : entry[0]).length;
    const rest = oneCommand.exec(text.slice(from, from + 300))?.[0] ?? '';
    // `{"cmd":"mysql -pSECRET"}`: an escape of a line end or quote ends the command as the thing itself does.
    const command = rest.split(/\\[nr]/)[0] ?? '';
    const match = entry[1].exec(command);
    const value = match?.[1] ?? match?.[2];
    if (match === null || value === undefined) return at;
    const start = from + match.index + match[0].lastIndexOf(value);
    const own = start + value.replace(/[\\,)}\]]+$/, '').length;
    const end = argumentEnd(text, start, own, 256);
    const clean = text.slice(start, end);
    if (
      clean.length < 3 ||
      (isStandIn(clean) && !isRandom(clean)) ||
      /^-/.test(clean) ||
      (/^[A-Za-z]+$/.test(clean) && clean.length < 6) ||
      /^\d{2,5}:\d{2,5}$/.test(clean)
    )
      return at;
    out.push({ start, end, type: 'SECRET_GENERIC', rank: 87 });
    return end;
  },
};

const login = pattern()`
    ^(?:(PLAIN|LOGIN|XOAUTH2|CRAM-MD5|EXTERNAL)\s)?
    (?:([\w.-]{1,40})[ \t]+)?["']?([^\s"'\x60]{4,400})["']?[ \t]*(?=$|[\r\n"'\x60\\])
  `;
/**
 * `AUTH secret`, `AUTH user secret`, `HELLO 3 AUTH user secret` of Redis, `AUTH PLAIN ...` of mail: in capitals, and
 * the last word of the line.
 */
export const authCommands: SecretRule = {
  literals: ['auth '],
  findAt(text, at, _literal, out) {
    if (!text.startsWith('AUTH', at) || !/(?:^|[\n\r>"'`:]\s?|HELLO \d )$/.test(text.slice(Math.max(0, at - 8), at)))
      return at;
    const match = login.exec(text.slice(at + 5, at + 460));
    const value = match?.[3];
    if (
      match === null ||
      value === undefined ||
      isStandIn(value) ||
      !(/\d/.test(value) || match[1] !== undefined) ||
      !/[A-Za-z]/.test(value)
    )
      return at;
    const start = at + 5 + match[0].lastIndexOf(value);
    out.push({ start, end: start + value.length, type: 'SECRET_GENERIC', rank: 87 });
    return start + value.length;
  },
};
