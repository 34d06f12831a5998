// Scores one subject, shows a refusal, and verifies a webhook: node dist/example.js, with the environment below.
import { Webhook } from "standardwebhooks";
import { serviceClient } from "./client.js";
import { serviceKeys } from "./signatures.js";

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`Set ${name}`);
  return value;
}

const url = setting("HAIHE_URL");
const bank = serviceClient({ url, bank: setting("HAIHE_BANK"), secret: setting("HAIHE_SECRET"), keys: await serviceKeys(url) });
const request = { uscc: setting("HAIHE_USCC"), purpose: "credit_granting", mandate: setting("HAIHE_MANDATE") };

const { data: score } = await bank.POST("/v1/scores", { body: request });
if (score === undefined) throw new Error("The subject has no score");
const sum = score.reasons.reduce((points, reason) => points + reason.points, score.base_points);
console.log(JSON.stringify({ points: score.points, grade: score.grade, sum: Math.round(sum * 100) / 100 }));

const { error } = await bank.POST("/v1/scores", { body: { ...request, mandate: "none" } });
console.log(JSON.stringify({ status: error?.status, type: error?.type }));

const { HAIHE_WEBHOOK_SECRET: secret, HAIHE_WEBHOOK: received } = process.env;
if (secret !== undefined && received !== undefined) {
  const { headers, body } = JSON.parse(received) as { headers: Record<string, string>; body: string };
  console.log(JSON.stringify(new Webhook(secret).verify(body, headers)));
}
