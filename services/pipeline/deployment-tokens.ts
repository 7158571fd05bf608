import type { TokenKeys } from '../redaction/index.ts';
import { type UnitKeys, unitKeysFrom } from '../redactor/unit-keys.ts';

/**
 * Without keys of their own, tokens are made under one that the deployment's leads to and that does not lead back: it
 * stays when units' keys are dropped.
 */
export const deploymentTokens = (pseudonymKey: Uint8Array | UnitKeys): TokenKeys => ({
  kid: 'k2',
  key: (pseudonymKey instanceof Uint8Array ? unitKeysFrom(pseudonymKey) : pseudonymKey).tokens,
});
