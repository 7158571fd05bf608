/**
 * `tripline/redaction`: personal data and secrets out of text. One pure function over a text and a policy; every layer
 * has a budget, and what goes over it is taken out whole (fails closed).
 */
import { defaultPolicy, type RedactionPolicy } from './policy.ts';
import { type Redaction, redactText } from './redact-text.ts';

export { type KeyVersion, defaultPolicy, type OwnPattern, type RedactionPolicy, type TokenKeys } from './policy.ts';
export type { Redaction, Span } from './redact-text.ts';
export { tokenOf, tokensUnder } from './tokens.ts';
export { type JsonValue, type RedactedValue, redactJoined, redactValue } from './walk.ts';

export const redactorVersion = '2';

/** `text` with every finding replaced, and where they were. Redacting the result again changes nothing. */
export const redact = (text: string, policy: RedactionPolicy = defaultPolicy): Redaction => redactText(text, policy);
