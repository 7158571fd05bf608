/** Bytes as source text: base64 in lines of 120, which `Buffer.from(text, 'base64')` reads past their ends. */
export function packedTable(comment: readonly string[], name: string, bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,120}/g) ?? [];
  return [...comment.map((line) => `// ${line}`), `export const ${name} = \``, ...lines, '`;', ''].join('\n');
}
