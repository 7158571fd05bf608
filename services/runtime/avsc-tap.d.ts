declare module 'avsc/lib/utils.js' {
  export const Tap: { readonly prototype: { readLong(): number; readInt(): number; pos: number; buf: Buffer } };
}
