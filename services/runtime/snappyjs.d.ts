declare module 'snappyjs' {
  const snappy: { uncompress(packed: Uint8Array, maxLength?: number): Uint8Array };
  export default snappy;
}
