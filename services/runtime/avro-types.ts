/**
 * avsc types that stop at the end of their bytes. avsc itself believes the item count of a corrupt array: it allocates
 * for it (250 MB for a 10-byte lie) and, where a field is skipped because the reader has no use for it, loops up to
 * 2^53 times or, by a negative block size, backwards for ever. Made through avsc's `typeHook`, so that an app that has
 * avsc of its own keeps it as it was.
 */
import avro from 'avsc';

type Tap = {
  pos: number;
  readonly buf: Buffer;
  readLong(): number;
  readInt(): number;
  readString(): string;
  writeString(text: string): void;
  skipString(): void;
};
type Writer = { _write(tap: Tap, value: unknown): void };
type Reader = avro.Type & { _read(tap: Tap): unknown; _skip(tap: Tap): void };

/**
 * Throws unless the item that began at `start` took a byte and ended within the buffer; written so that NaN throws too.
 */
function advanced(tap: Tap, start: number): void {
  if (!(tap.pos > start && tap.pos <= tap.buf.length)) throw new RangeError('an item ends outside the frame');
}

/**
 * Items of the next block, 0 at the end. No item of ours is empty, so a block cannot hold more of them than bytes are
 * left.
 */
function itemsOfBlock(tap: Tap): number {
  const count = tap.readLong();
  // A negative count is followed by the size of the block in bytes, of no use to us.
  if (count < 0) tap.readLong();
  if (!(Math.abs(count) <= tap.buf.length - tap.pos)) throw new RangeError('more items than bytes');
  return Math.abs(count);
}

function skipBlocks(tap: Tap, skipItem: () => void): void {
  for (let left = itemsOfBlock(tap); left > 0; left = itemsOfBlock(tap)) {
    for (; left > 0; left -= 1) {
      const start = tap.pos;
      skipItem();
      advanced(tap, start);
    }
  }
}

/**
 * `this` is the type, or avsc's resolver of it, which borrows `_read` and has `itemsType` (`valuesType`) of its own.
 */
class BoundedArray extends avro.types.ArrayType {
  _read(tap: Tap): unknown[] {
    const items = this.itemsType as Reader;
    const read: unknown[] = [];
    for (let left = itemsOfBlock(tap); left > 0; left = itemsOfBlock(tap)) {
      for (; left > 0; left -= 1) {
        const start = tap.pos;
        read.push(items._read(tap));
        advanced(tap, start);
      }
    }
    return read;
  }

  _skip(tap: Tap): void {
    const items = this.itemsType as Reader;
    skipBlocks(tap, () => items._skip(tap));
  }
}

/** In Node.js 20, and not in the library's types of ES2023. */
type Unicode = { isWellFormed(): boolean; toWellFormed(): string };

const isWellFormed = (text: string): boolean => (text as string & Unicode).isWellFormed();
const wellFormed = (text: string): string => (text as string & Unicode).toWellFormed();

/** What avsc's own types write with: its declarations leave it out. */
const mapWriter = avro.types.MapType.prototype as unknown as Writer;
const stringWriter = avro.types.StringType.prototype as unknown as Writer;

class BoundedMap extends avro.types.MapType {
  /** Keys as `WellFormedString` writes values. */
  _write(tap: Tap, map: Record<string, unknown>): void {
    const isWritable = typeof map !== 'object' || map === null || Object.keys(map).every(isWellFormed);
    mapWriter._write.call(
      this,
      tap,
      isWritable ? map : Object.fromEntries(Object.entries(map).map(([key, value]) => [wellFormed(key), value])),
    );
  }

  _read(tap: Tap): Record<string, unknown> {
    const values = this.valuesType as Reader;
    const read: Record<string, unknown> = {};
    for (let left = itemsOfBlock(tap); left > 0; left = itemsOfBlock(tap)) {
      for (; left > 0; left -= 1) {
        const start = tap.pos;
        const key = tap.readString();
        const value = values._read(tap);
        // Set as a property of its own, this one key would change the prototype of the map.
        if (key === '__proto__')
          Object.defineProperty(read, key, { value, enumerable: true, configurable: true, writable: true });
        else read[key] = value;
        advanced(tap, start);
      }
    }
    return read;
  }

  _skip(tap: Tap): void {
    const values = this.valuesType as Reader;
    skipBlocks(tap, () => {
      tap.skipString();
      values._skip(tap);
    });
  }
}

/** avsc lets an `int` decode to any long; ours is 32 bits, as Avro says, so that columns can rely on it. */
class BoundedInt extends avro.types.IntType {
  _read(tap: Tap): number {
    const value = tap.readInt();
    if (value !== (value | 0)) throw new RangeError('an int of more than 32 bits');
    return value;
  }
}

/**
 * Half of a surrogate pair, which a cut in the middle of a sign leaves behind, has no UTF-8: avsc writes bytes that
 * nothing reads back as they were, and an id would go to another partition than its hash says.
 */
class WellFormedString extends avro.types.StringType {
  _write(tap: Tap, text: string): void {
    stringWriter._write.call(this, tap, typeof text !== 'string' || isWellFormed(text) ? text : wellFormed(text));
  }
}

const typeHook: avro.ForSchemaOptions['typeHook'] = (schema, options) => {
  const kind =
    typeof schema === 'object' && !Array.isArray(schema) ? (schema as { readonly type?: unknown }).type : schema;
  if (kind === 'array') return new BoundedArray(schema, options);
  if (kind === 'map') return new BoundedMap(schema, options);
  if (kind === 'string') return new WellFormedString();
  return kind === 'int' ? new BoundedInt() : undefined;
};

/** The type of a schema's JSON text. Throws what avsc says about a schema that it does not understand. */
export const avroTypeOf = (avsc: string): avro.Type =>
  avro.Type.forSchema(JSON.parse(avsc) as avro.Schema, { typeHook });
