/** Apache Kafka itself, one KRaft node, from its Maven Central jars. */
import { execFile } from 'node:child_process';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { PipelineError } from '../../../services/kernel/pipeline-error.ts';
import { type Child, startChild } from '../child.ts';

const run = promisify(execFile);
const here = dirname(fileURLToPath(import.meta.url));
const pom = existsSync(join(here, 'pom.xml'))
  ? join(here, 'pom.xml')
  : join(here, '..', '..', '..', '..', 'infra', 'embedded', 'kafka', 'pom.xml');

const waysRound = 'or use a broker of your own: KAFKA_BROKERS=host:9092, or `docker compose up`';

const packages = {
  java: 'Debian: apt-get install openjdk-17-jre-headless; macOS: brew install openjdk',
  maven: 'Debian: apt-get install maven; macOS: brew install maven',
};

export async function javaVersion(): Promise<number | undefined> {
  try {
    const { stdout, stderr } = await run('java', ['-version']);
    const version = /version "(\d+)(?:\.(\d+))?/.exec(stderr + stdout);
    return version ? Number(version[1] === '1' ? version[2] : version[1]) : undefined;
  } catch {
    return undefined;
  }
}

/** Folder of the jars, fetched once per pom into the user's cache; a second checkout finds them there. */
export async function kafkaJars(onLine: (line: string) => void): Promise<string> {
  const version = await javaVersion();
  if (version === undefined || version < 17) {
    throw new PipelineError(
      'STACK_PREREQUISITE',
      `the embedded broker needs Java 17 or newer, found ${version ?? 'none'}`,
      {
        hint: `install a JDK or JRE (${packages.java}), ${waysRound}`,
      },
    );
  }
  const key = createHash('sha256').update(readFileSync(pom)).digest('hex').slice(0, 16);
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'tripline');
  const folder = join(cache, `kafka-${key}`);
  if (existsSync(join(folder, 'libs'))) return join(folder, 'libs');
  onLine('broker    fetching Apache Kafka from Maven Central (43 MB, once)');
  const partial = join(cache, `fetching-${randomUUID()}`);
  mkdirSync(partial, { recursive: true });
  try {
    await run(
      'mvn',
      [
        '-q',
        '-B',
        '-f',
        pom,
        'dependency:copy-dependencies',
        '-DincludeScope=runtime',
        `-DoutputDirectory=${join(partial, 'libs')}`,
      ],
      { timeout: 300_000, maxBuffer: 1 << 24 },
    );
    if (!existsSync(join(folder, 'libs'))) renameSync(partial, folder);
  } catch (cause) {
    if (existsSync(join(folder, 'libs'))) return join(folder, 'libs');
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new PipelineError(
      'STACK_PREREQUISITE',
      missing ? 'the embedded broker needs Maven 3.8 or newer, found none' : 'Maven could not fetch the broker',
      {
        cause,
        hint: `${missing ? `install it (${packages.maven})` : 'check the way to Maven Central'}, ${waysRound}`,
      },
    );
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  return join(folder, 'libs');
}

const forever = '9223372036854775807';

function properties(data: string, port: number, controllerPort: number): string {
  return Object.entries({
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': data,
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
    // Fault trials watch a killed member's partitions move on; the stages' own session stays 30 s.
    'group.min.session.timeout.ms': '2000',
    'auto.create.topics.enable': 'false',
    'log.retention.ms': '-1',
    // A replay carries times that are years old.
    'log.message.timestamp.before.max.ms': forever,
    'log.message.timestamp.after.max.ms': forever,
    'message.max.bytes': '8388608',
    'replica.fetch.max.bytes': '8388608',
    'num.network.threads': '2',
    'num.io.threads': '4',
    'log.cleaner.dedupe.buffer.size': '16777216',
    'log.segment.bytes': '67108864',
  })
    .map(([name, value]) => `${name}=${value}`)
    .join('\n');
}

const loggingProperties = `status=error
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d{ISO8601} %p %c %m%n
rootLogger.level=warn
rootLogger.appenderRef.out.ref=out
`;

export async function startBroker(options: {
  folder: string;
  logFolder: string;
  port: number;
  controllerPort: number;
  onLine: (line: string) => void;
}): Promise<Child> {
  const libs = await kafkaJars(options.onLine);
  const classPath = join(libs, '*');
  const data = join(options.folder, 'data');
  const config = join(options.folder, 'server.properties');
  const log4j = join(options.folder, 'log4j2.properties');
  mkdirSync(options.folder, { recursive: true });
  writeFileSync(config, properties(data, options.port, options.controllerPort));
  writeFileSync(log4j, loggingProperties);
  if (!existsSync(join(data, 'meta.properties'))) {
    // One in 64 would begin with a dash, which the tool reads as an option; without the top bit it begins with a
    // letter.
    const bytes = randomBytes(16);
    bytes[0] = (bytes[0] as number) & 0x7f;
    const id = bytes.toString('base64url');
    await run(
      'java',
      [
        '-cp',
        classPath,
        `-Dlog4j2.configurationFile=${log4j}`,
        '-XX:TieredStopAtLevel=1',
        '-XX:+UseSerialGC',
        'kafka.tools.StorageTool',
        'format',
        '-t',
        id,
        '-c',
        config,
      ],
      { timeout: 60_000 },
    ).catch((cause: unknown) => {
      throw new PipelineError('STACK_START', `the broker's storage in ${data} could not be prepared`, {
        cause,
        hint: 'check that the folder can be written and the disk has space',
      });
    });
  }
  return startChild({
    command: 'java',
    args: [
      '-Xms128m',
      '-Xmx384m',
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      `-Dlog4j2.configurationFile=${log4j}`,
      '-cp',
      classPath,
      'kafka.Kafka',
      config,
    ],
    logFile: join(options.logFolder, 'broker.log'),
  });
}
