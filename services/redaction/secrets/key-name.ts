/**
 * What a name promises: `db.password`, `clientSecret`, `X-Api-Key`, `max_tokens`. Names decide more secrets than
 * prefixes do.
 */
import { pattern } from '../pattern.ts';

/**
 * password: chosen by people, anything may stand there. token: made by a machine. weak: a key, but of what? Needs a
 * value that looks made. id: what an app calls itself by, and with some providers its key: long hex alone is one.
 */
export type NameKind = 'password' | 'token' | 'weak' | 'id' | 'none';

/** `clientSecret`, `client-secret`, `CLIENT.SECRET` -> `client_secret`. */
const normal = (name: string): string =>
  name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll(/([A-Z])([A-Z][a-z])/g, '$1_$2')
    .toLowerCase()
    .replaceAll(/[^a-z0-9_\u0080-\uffff]+/g, '_')
    .replaceAll(/^_+|_+$/g, '');

/** Says something about a secret, and is none: its id, place, length, policy, screen. */
const about = pattern()`
    (?:^|_)(?:ids?|url|uri|link|path|file|filename|dir|folder|names?|type|types|kind|length|len|count|counts
    |size|limit|limits|min|max|ttl|expiry|expires?|expires_(?:in|at|on)|expired|expiration|timeout|field
    |fields|label|hint|policy|policies|rule|rules|regex|pattern|prompt|placeholder|version|format|usage
    |endpoint|enabled|disabled|required|status|state|arn|ref|reset|strength|rotation|alg|algorithm|method
    |class|provider|manager|error|errors|message|title|description|input|form|column|index|table|store
    |handler|validator|parser|generator|factory|interface|schema|budget|used|cost|price|rate|per_[a-z]+
    |prefix|suffix|rings?|words|board|boards|path|scope|scopes|issuer|audience|lifetime|age|date|time
    |created(?:_at)?|updated(?:_at)?|location|source|position|number_of|num|total|details|info|help|page
    |screen|button|view|checker|check|confirm(?:ation)?_text|complexity|requirements?)$
  `;
const password = pattern()`
    pass(?:word|wd|wrd|phrase|code|wort|ord|kode)|(?:^|_|[a-z])pass?wd|motdepasse|mot_de_passe|pwd|psswrd
    |passw|contrase|kennwort|senha|wachtwoord|senord|salasana|heslo|jelszo|haslo|sifre|parola|adgangskode
    |kodeord|kata_sandi|jelszav|(?:^|_)(?:mdp|ww)$|(?:^|_)(?:clave|pw|psw|pword|passe?|pass_key|sudo_pass
    |pin_code|pincode)\d?$|(?:db|my|user|root|admin|pg|smtp|mail|ftp|ssh|http|proxy|redis|mysql|mongo|ldap
    |bind|wifi|vpn|keystore|login|auth|svn|git|rabbit|mq|imap|basic|default|test)pass\d?$|bindpw|requirepass
    |passin|passout|(?:^|_)(?:unlock|access|security|backup|recovery|gate|door|alarm)_codes?$
  `;
const notPassword = pattern()`
    passport|passenger|passage|passive|passion|passed|passes|passing|bypass|compass|encompass|trespass
    |pass_?through|pass_?rate|pass_?count|by_pass|surpass|boarding_pass|one_pass|pass_at
  `;
const counted = pattern()`
    (?:^|_)(?:max|min|total|num|prompt|completion|input|output|cached|reasoning|n|per|avg|mean|stop|eos|bos
    |pad|unk|sep|cls|mask|special|next|first|last|extra|image|audio|text|remaining|context|sum|next_page
    |page|continuation|sync|paging|resume|pagination|cursor|lang(?:uage)?|csrf_?param|non|sub)_tokens?$
    |^tokens$|tokeniz|tokenis|token_?(?:count|type|limit|usage|budget|ids?|based|s_per)|(?:next|prev
    |previous|page|paging|pagination|continuation|resume|sync|delta|watermark)_(?:page_)?token$|_tokens$
  `;
const madeKey = pattern()`
    (?:api|apis|app|application|access|auth|oauth2?|secret|private|priv|account|shared|encryption|encrypt
    |decryption|crypt|cipher|signing|sign|signature|master|root|license|licence|client|consumer|service
    |storage|subscription|server|deploy|deployment|bot|user|session|bearer|refresh|device|push|write|read
    |admin|project|integration|webhook|hook|hmac|jwt|cookie|rsa|aes|ssh|gpg|pgp|tls|ssl|aws|azure|gcp|google
    |maps|instrumentation|ingestion|ingest|personal|security|sas|primary_account|vapid|fernet|salt
    |secret_access|rails|django|flask|laravel|hash_salt|activation|product|serial|data|host|agent|install
    |member|merchant|partner|publisher|developer|dev|prod|live|test|sandbox|staging|prv|feed|rest|http|x_api
    |x_functions|functions|web|site|team|org|organization|tenant|workspace|environment|env|bridge|relay
    |gateway|node|cluster|join|pairing|network|wifi|wpa|psk|reg(?:istration)?|verification|verify|validation
    |unlock|recovery|backup|service_account)_?keys?$
  `;
/** Keys of things that have keys of other kinds too. */
const vagueMadeKey = pattern()`
    (?:hash|data|host|test|dev|prod|node|user|session|device|team|org|project|read|write|web|site|env|feed
    |product|network|cluster)_keys?$
  `;
const vaguest = pattern()`
    (?:^|_)(?:public|publishable|primary|foreign|cache|partition|sort|idempotency|dedup(?:lication)?|object
    |routing|row|rows|map|index|unique|shard|group|translation|i18n|l10n|message|event|lookup|react|registry
    |hot|short|shortcut|enter|arrow|answer|json|dict|hash|join|composite|natural|surrogate|search|order
    |sorting|property|attribute|config|metadata|label|tag|host_key_algorithms|known|authorized|license_plate
    |item|element|list|param|query|field|column|string|turn|mon|don|jer|stick|low|off|whis|tur|hoc|major
    |minor|scale|house|car|issue|story|ticket|epic|jira|project_issue)_?keys?$|^(?:keys?|keyword.*
    |keyboard.*|key[a-z]{3,})$|hotkey|monkey|turkey|donkey|jockey|hockey|whiskey|keynote|keypress|keydown
    |keyup|keyframe|keyspace
  `;
const secret = pattern()`
    (?:^|_|[a-z])secrets?(?:$|_(?:key|token|access_key|access|api_key|value|string|text|key_base|base|data
    |code|id|current|previous|old|new|prod|dev|test|live|\d+)$|s?_?\d*$)|segredo|geheimnis|(?:^|_)cred
    (?:ential)?s?$|(?:^|_)creds?$
  `;
const auth = pattern()`
    (?:^|_)(?:auth|authorization|authentication|auth_code|auth_?data|auth_?string|auth_?header|x_auth
    |basic_auth|authentication_?code|http_auth|registry_auth|npm_auth|_auth)$|_auth$|(?:^|_)bearer$
  `;
const session = pattern()`
    (?:^|_)(?:session_?token|session_?cookie|phpsessid|jsessionid|connect_sid|aspsessionid[a-z]*
    |asp_net_session_?id|cookie|cookies|remember_?(?:me)?|csrf|xsrf|csrftoken|xsrf_token|jwt|id_token|otp
    |totp|mfa|totp_secret|otp_secret|signature|hmac|webhook_signature|nonce_secret|salt|dsn|sas
    |connection_?string|conn_?str|shared_access_signature|licen[cs]e)$
  `;

/** Names repeat in logs and records: what they promise is remembered, up to this many, then forgotten together. */
const maxKnown = 4096;
const known = new Map<string, NameKind>();

/** The kind of secret a name announces, if any; names of up to about a hundred units. */
export function kindOfName(name: string): NameKind {
  let kind = known.get(name);
  if (kind === undefined) {
    kind = judgeName(name);
    if (known.size >= maxKnown) known.clear();
    known.set(name, kind);
  }
  return kind;
}

/** Whoever asks an API says with it who asks; ids of calls, traces and things say what they are of. */
const callerId = pattern()`
    (?:^|_)(?:app|api|application|client|consumer|developer|dev|partner|affiliate|publisher|merchant|access|auth
    |token|key|licen[cs]e|subscriber)_?id$
  `;

function judgeName(name: string): NameKind {
  const plain = normal(name);
  if (plain === '' || plain.length > 120) return 'none';
  if (callerId.test(plain) && !/access_?key_?id$/.test(plain)) return 'id';
  if (about.test(plain) && !/(?:^|_)(?:secret|session|sess)_?id$|access_?key_?id$/.test(plain)) return 'none';
  if (password.test(plain) && !notPassword.test(plain)) return 'password';
  if (/^(?:(?:the|my|our|shared|top)_)?(?:pass|secret|sandi)$/.test(plain)) return 'password';
  if (counted.test(plain)) return 'none';
  if (/token$|^token_|_token_|jwt$|jeton$|_tkn$|_pat$|^pat$|_tok$/.test(plain)) return 'token';
  if (secret.test(plain) || auth.test(plain)) return 'token';
  if (madeKey.test(plain)) return vagueMadeKey.test(plain) ? 'weak' : 'token';
  if (session.test(plain)) return 'weak';
  if (vaguest.test(plain)) return /^keys?$/.test(plain) ? 'weak' : 'none';
  return /keys?$|_key_|^key_|key\d$|chiave$|chave$|schluessel$/.test(plain) ? 'weak' : 'none';
}

/** `user_key`: more than `key` says, which may be one of a cache or a store. */
export const isOwnersKey = (name: string): boolean => /(?<!hash|digest|sum|^)[_-]?keys?$/i.test(name);

/** Words that name a text's piece, a state or a scheme as often as a secret: below them the value decides. */
const doubtfulField = /^(?:token|auth|authentication|creds?|pat|.*_(?:pat|tok|auth|id))$/;
/** A field of a record with this name holds a secret whatever its value looks like. */
export function isSecretField(name: string): boolean {
  const kind = kindOfName(name);
  return (
    kind === 'password' || (kind === 'token' && !doubtfulField.test(normal(name))) || /^(?:set-)?cookies?$/.test(name)
  );
}
