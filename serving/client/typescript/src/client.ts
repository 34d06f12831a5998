// A client of the scoring service whose paths, requests and answers have the types of the service's own OpenAPI document.
import createClient, { type Client } from "openapi-fetch";
import type { paths } from "./schema.js";
import { type ServiceKeys, verifyAnswer } from "./signatures.js";

const RENEW_BEFORE = 30; // seconds before its end at which a token is renewed

export interface Access {
  url: string;
  bank: string;
  secret: string;
  keys?: ServiceKeys; // with them every good answer's signature is verified
}

/** The client of one bank. A POST has an idempotency key of its own unless the caller gives one. */
export function serviceClient(access: Access): Client<paths> {
  const tokens = new Tokens(access);
  return createClient<paths>({
    baseUrl: access.url,
    fetch: async (request: Request): Promise<Response> => {
      if (request.method === "POST" && !request.headers.has("Idempotency-Key")) {
        request.headers.set("Idempotency-Key", crypto.randomUUID());
      }
      const again = request.clone();
      let response = await fetch(authorised(request, await tokens.current()));
      if (response.status === 401) response = await fetch(authorised(again, await tokens.renewed()));
      if (access.keys !== undefined && response.status === 200) {
        const body = new Uint8Array(await response.clone().arrayBuffer());
        await verifyAnswer(body, response.headers.get("X-JWS-Signature") ?? "", access.keys);
      }
      return response;
    },
  });
}

/** The token of a bank by client credentials (RFC 6749 §4.4). */
class Tokens {
  #token = "";
  #renewAt = 0;
  readonly #access: Access;

  constructor(access: Access) {
    this.#access = access;
  }

  async current(): Promise<string> {
    return Date.now() < this.#renewAt ? this.#token : this.renewed();
  }

  async renewed(): Promise<string> {
    const { url, bank, secret } = this.#access;
    const credentials = btoa(`${encodeURIComponent(bank)}:${encodeURIComponent(secret)}`);
    const response = await fetch(new URL("oauth2/token", url.endsWith("/") ? url : `${url}/`), {
      method: "POST",
      headers: { Authorization: `Basic ${credentials}` },
      body: new URLSearchParams({ grant_type: "client_credentials" }),
    });
    if (!response.ok) throw new Error(`No token was granted: status ${response.status}`);
    const answer = (await response.json()) as { access_token: string; expires_in: number };
    this.#token = answer.access_token;
    this.#renewAt = Date.now() + (answer.expires_in - RENEW_BEFORE) * 1000;
    return this.#token;
  }
}

function authorised(request: Request, token: string): Request {
  request.headers.set("Authorization", `Bearer ${token}`);
  return request;
}
