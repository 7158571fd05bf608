/**
 * What records may be compressed with: gzip (kafkajs itself), snappy, lz4 and zstd. Others compress; we write plain. A
 * codec is loaded with the first batch that needs it. kafkajs keeps codecs by process, not by client.
 */
import kafkajs from 'kafkajs';
import { PipelineError } from '../kernel/pipeline-error.ts';

const { CompressionCodecs, CompressionTypes } = kafkajs;

type Decompress = (packed: Buffer) => Promise<Uint8Array>;

const readOnly = (name: string, decompress: Decompress) => () => ({
  compress: async (): Promise<Buffer> => {
    throw new RangeError(`nothing is written with ${name}`);
  },
  decompress: async (packed: Buffer): Promise<Buffer> => {
    try {
      const { buffer, byteOffset, byteLength } = await decompress(packed);
      return Buffer.from(buffer, byteOffset, byteLength);
    } catch (cause) {
      const error = new PipelineError('BROKER_REFUSED', `a batch of records that says ${name} cannot be read`, {
        cause,
      });
      // By this name kafkajs knows what it need not try again at once, for a quarter of a minute and for ever.
      throw Object.assign(error, { name: 'KafkaJSNotImplemented' });
    }
  },
});

/** Idempotent: every client calls it. */
export function registerCodecs(): void {
  CompressionCodecs[CompressionTypes.Snappy] = readOnly('snappy', async (packed) =>
    (await import('./unpack-snappy.ts')).unpackSnappy(packed),
  );
  CompressionCodecs[CompressionTypes.LZ4] = readOnly('lz4', async (packed) =>
    (await import('./unpack-lz4.ts')).unpackLz4(packed),
  );
  CompressionCodecs[CompressionTypes.ZSTD] = readOnly('zstd', async (packed) =>
    (await import('fzstd')).decompress(packed),
  );
}
