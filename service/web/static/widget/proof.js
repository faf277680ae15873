// @ts-check
/** Work that an installation may ask of new guests, fetched only where it does: ALTCHA's, version 1. */

/** The number whose hash, after the salt, is the challenge; as ALTCHA's own clients tell it. */
export async function prove({ algorithm, challenge, maxnumber, salt, signature }) {
  const start = BigInt(`0x${challenge.slice(0, 16)}`);
  for (let number = 0; number <= maxnumber; number++) {
    const hash = await crypto.subtle.digest(algorithm, new TextEncoder().encode(salt + number));
    if (new DataView(hash).getBigUint64(0) === start) return btoa(JSON.stringify({ algorithm, challenge, number, salt, signature }));
  }
}
