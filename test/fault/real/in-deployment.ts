/** How a trial on real parts goes: a deployment of its own, the fault, lag 0, the verdict, no process left. */
import { createRandom } from '../../../services/demo/story.ts';
import type { EmbeddedStack } from '../../../infra/embedded/index.ts';
import { until } from '../../support/until.ts';
import { messageOf } from '../differ.ts';
import { patienceMs } from './progress.ts';
import { startProxy, type TcpProxy } from './tcp-proxy.ts';
import { createDeployment, type Deployment, type DeploymentOptions } from './deployment.ts';

export type FaultContext = { readonly stack: EmbeddedStack; readonly home: string; readonly seed: number };

/** What came about, by what it is called: figures that add up over trials, and figures of which the highest counts. */
export type Happened = {
  readonly counts?: Readonly<Record<string, number>>;
  readonly most?: Readonly<Record<string, number>>;
};

/** `skipped`: the fault cannot be brought about here, and why; such a trial counts for nothing. */
export type FaultResult = { readonly wrong: readonly string[]; readonly happened: Happened; readonly skipped?: string };

/** A deployment, what happens in it, its verdict; its processes are gone afterwards, or that is said. */
export async function inDeployment(
  context: FaultContext,
  options: Partial<DeploymentOptions>,
  happen: (deployment: Deployment, random: () => number) => Promise<Happened>,
): Promise<FaultResult> {
  const { brokers, clickhouseUrl, registryUrl } = context.stack;
  const addresses = { brokers, clickhouseUrl, registryUrl };
  const deployment = await createDeployment({ addresses, seed: context.seed, home: context.home, ...options });
  let happened: Happened = {};
  const wrong: string[] = [];
  try {
    happened = await happen(deployment, createRandom(context.seed));
    await deployment.caughtUp();
    wrong.push(...(await deployment.verdict()));
  } catch (error) {
    wrong.push(`threw: ${messageOf(error)}`);
  }
  const left = await deployment.close();
  if (left.length > 0) wrong.push(`processes left: ${left.join(', ')}`);
  return { wrong, happened };
}

/** With a proxy of its own in front of the engine. */
export async function behindProxy(
  context: FaultContext,
  happen: (deployment: Deployment, proxy: TcpProxy, random: () => number) => Promise<Happened>,
): Promise<FaultResult> {
  const proxy = await startProxy(context.stack.clickhouseUrl);
  try {
    return await inDeployment(context, { storeUrl: proxy.url }, (deployment, random) =>
      happen(deployment, proxy, random),
    );
  } finally {
    await proxy.close();
  }
}

export const somethingFolded = (deployment: Deployment): Promise<unknown> =>
  until('something to be folded', async () => (await deployment.folded()) > 0, patienceMs);

export const allReady = (stack: EmbeddedStack): Promise<unknown> =>
  until('every part to answer', async () => (await stack.status()).every(({ ready }) => ready), patienceMs);
