// Verifies the signature of an answer: a compact JWS (RFC 7515) by Ed25519 over the SHA-256 of the body as it was sent.

export type ServiceKeys = ReadonlyMap<string, CryptoKey>;

/** The public keys at /.well-known/jwks.json; TLS alone identifies the service here. */
export async function serviceKeys(url: string): Promise<ServiceKeys> {
  const response = await fetch(new URL("/.well-known/jwks.json", url));
  const { keys } = (await response.json()) as { keys: (JsonWebKey & { kid: string })[] };
  const imported = keys.map(async (key): Promise<[string, CryptoKey]> => {
    const { kty, crv, x } = key as { kty: string; crv: string; x: string };
    return [key.kid, await crypto.subtle.importKey("jwk", { kty, crv, x }, "Ed25519", false, ["verify"])];
  });
  return new Map(await Promise.all(imported));
}

/** Throws unless `signature`, the header X-JWS-Signature, is by one of the keys and over exactly these bytes. */
export async function verifyAnswer(body: Uint8Array<ArrayBuffer>, signature: string, keys: ServiceKeys): Promise<void> {
  const [header = "", payload = "", raw = ""] = signature.split(".");
  const head = JSON.parse(Buffer.from(header, "base64url").toString() || "{}") as Record<string, unknown>;
  const key = keys.get(String(head["kid"]));
  // The verifier fixes the algorithm and the type, not the header.
  if (key === undefined || head["alg"] !== "EdDSA" || head["typ"] !== "haihe-answer+jwt" || "crit" in head) {
    throw new Error("The answer is not signed by the scoring service");
  }
  const signed = new TextEncoder().encode(`${header}.${payload}`);
  if (!(await crypto.subtle.verify("Ed25519", key, Buffer.from(raw, "base64url"), signed))) {
    throw new Error("The signature does not verify");
  }
  const claims = JSON.parse(Buffer.from(payload, "base64url").toString()) as { "sha-256"?: unknown };
  const digest = Buffer.from(await crypto.subtle.digest("SHA-256", body)).toString("hex");
  const digests = claims["sha-256"];
  if (!Array.isArray(digests) || !digests.includes(digest)) throw new Error("The answer is not the one that was signed");
}
