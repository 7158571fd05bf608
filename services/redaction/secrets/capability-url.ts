/**
 * Addresses that are keys themselves: web hooks and API paths that carry a token, and the signature parameters of
 * signed links.
 */
import type { SecretRule } from './secret-rule.ts';
import { isRandom, isStandIn } from './plausible.ts';

/** A host or path part that announces a hook, and what must follow for the address to be one. */
const hooks: readonly (readonly [literal: string, rest: RegExp])[] = [
  ['hooks.slack.com/', /(?:services|workflows|triggers)\/[A-Z]\w+\/[\w/-]{5,200}/y],
  ['hooks.slack-gov.com/', /(?:services|workflows)\/[\w/-]{8,200}/y],
  ['discord.com/api/webhooks/', /\d{10,20}\/[\w-]{20,90}/y],
  ['discordapp.com/api/webhooks/', /\d{10,20}\/[\w-]{20,90}/y],
  ['webhook.office.com/', /[\w@./-]{30,300}/y],
  ['outlook.office.com/webhook', /[\w@./-]{30,300}/y],
  ['outlook.office365.com/webhook', /[\w@./-]{30,300}/y],
  ['hooks.zapier.com/hooks/', /(?:catch|standard)\/\d{4,12}\/\w{5,40}/y],
  ['maker.ifttt.com/', /(?:trigger|use)\/(?:[\w-]{1,60}\/(?:json\/)?with\/key\/)?[\w-]{10,60}/y],
  ['chat.googleapis.com/v1/spaces/', /[\w-]{6,30}\/messages\?[^\s"'<>]{20,300}/y],
  ['open.feishu.cn/open-apis/bot/', /(?:v2\/)?hook\/[\w-]{16,60}/y],
  ['open.larksuite.com/open-apis/bot/', /(?:v2\/)?hook\/[\w-]{16,60}/y],
  ['oapi.dingtalk.com/robot/send?access_token=', /\w{20,100}/y],
  ['qyapi.weixin.qq.com/cgi-bin/webhook/send?key=', /[\w-]{20,60}/y],
  ['hook.integromat.com/', /\w{16,60}/y],
  ['.make.com/', /\w{20,60}(?![\w/])/y],
  ['events.pagerduty.com/integration/', /\w{20,60}/y],
  ['api.telegram.org/bot', /\d{6,12}:[\w-]{30,45}/y],
  ['hooks.airtable.com/workflows/', /[\w/]{20,120}/y],
  ['hc-ping.com/', /[0-9a-f-]{36}/y],
  ['webhook.site/', /[0-9a-f-]{36}/y],
  ['infura.io/v3/', /[0-9a-f]{32}/y],
  ['infura.io/ws/v3/', /[0-9a-f]{32}/y],
  ['alchemy.com/v2/', /[\w-]{20,60}/y],
  ['alchemyapi.io/v2/', /[\w-]{20,60}/y],
  ['quiknode.pro/', /[0-9a-f]{30,60}/y],
  ['rollbar.com/', /[0-9a-f]{32}/y],
  ['getblock.io/', /[\w-]{30,60}/y],
  ['ankr.com/', /[\w/]{20,90}[0-9a-f]{32,64}/y],
  ['mattermost.com/hooks/', /\w{20,40}/y],
  ['rocket.chat/hooks/', /\w{12,30}\/\w{30,80}/y],
  ['/hooks/', /(?:[\w-]{1,40}\/){0,3}[\w-]{16,120}/y],
  ['/webhook/', /(?:[\w-]{1,40}\/){0,3}[\w-]{16,120}/y],
  ['/webhooks/', /(?:[\w-]{1,40}\/){0,3}[\w-]{16,120}/y],
  ['/incomingwebhook/', /[\w@./-]{30,300}/y],
];
const generic = hooks.findIndex(([literal]) => literal === '/hooks/');
const addressEnd = /[^\s"'`<>\\|^{}[\]]{0,800}/y;

const webHooks: SecretRule = {
  literals: hooks.map(([literal]) => literal),
  findAt(text, at, literal, out) {
    const hook = hooks[literal];
    if (hook === undefined) return at;
    const [word, rest] = hook;
    rest.lastIndex = at + word.length;
    const match = rest.exec(text);
    if (match === null) return at;
    const last = match[0].split('/').at(-1) ?? '';
    if (literal >= generic && !isRandom(last)) return at;
    const before = text.slice(Math.max(0, at - 160), at);
    const scheme = /https?:\/\/[^\s"'`<>\\]{0,150}$/i.exec(before);
    if (scheme === null && literal >= generic) return at;
    addressEnd.lastIndex = rest.lastIndex;
    addressEnd.test(text);
    let end = addressEnd.lastIndex;
    while (end > rest.lastIndex && /[.,;:!?)]/.test(text[end - 1] ?? '')) end -= 1;
    out.push({ start: scheme === null ? at : at - before.length + scheme.index, end, type: 'SECRET_URL', rank: 92 });
    return end;
  },
};

/**
 * Parameters whose value opens what the address names. The name is matched whole, in a query, a fragment or a form
 * body.
 */
const parameters = [
  'sig',
  'signature',
  'x-amz-signature',
  'x-amz-credential',
  'x-amz-security-token',
  'x-goog-signature',
  'x-goog-credential',
  'x-oss-signature',
  'x-oss-security-token',
  'q-signature',
  'googleaccessid',
  'awsaccesskeyid',
  'ossaccesskeyid',
  'hdnea',
  'hmac',
  'policy',
  'code',
  'state',
  'sas',
  'jwt',
  'sso',
  'ticket',
  'otp',
  'nonce',
  'oauth_signature',
  'oauth_verifier',
  'h',
  'hash',
  'session',
  'sid',
  'sessionid',
  'session_id',
  'phpsessid',
  'jsessionid',
  'key',
  'invite',
  'confirmation',
  'verify',
  'reset',
  'ott',
  'lt',
  'magic',
  'client_secret',
];
/** Too common as plain names: only with a value no person would write. */
const common = new Set([
  'code',
  'state',
  'policy',
  'h',
  'hash',
  'nonce',
  'key',
  'session',
  'sid',
  'ticket',
  'sso',
  'invite',
  'confirmation',
  'verify',
  'reset',
  'lt',
  'magic',
  'otp',
  'hmac',
]);
const hashes = new Set(['h', 'hash', 'state', 'nonce', 'policy']);
const value = /[^\s"'`<>&#?\\;,)\]}]{6,2000}/y;

const signatures: SecretRule = {
  literals: parameters.filter((name) => !hashes.has(name)).map((name) => `${name}=`),
  findAt(text, at, literal, out) {
    const name = parameters.filter((each) => !hashes.has(each))[literal] ?? '';
    if (
      !/[?&;#]|^$/.test(text[at - 1] ?? '') &&
      !/(?:[?&]|&amp;|\\u0026|%26|%3F)$/i.test(text.slice(Math.max(0, at - 6), at))
    )
      return at;
    const from = at + name.length + 1;
    value.lastIndex = from;
    if (!value.test(text)) return at;
    let end = value.lastIndex;
    while (end > from && /[.,:!?]/.test(text[end - 1] ?? '')) end -= 1;
    const found = text.slice(from, Math.min(end, from + 200));
    if (
      isStandIn(found) ||
      (common.has(name)
        ? !isRandom(found) || found.length < 16
        : found.length < 8 || !/\d|[a-z][A-Z]|[A-Z][a-z]/.test(found))
    )
      return end;
    out.push({ start: from, end, type: 'SECRET_URL', rank: 88 });
    return end;
  },
};

export const capabilityUrls: readonly SecretRule[] = [webHooks, signatures];
