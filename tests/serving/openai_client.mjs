// OpenAI's own JavaScript client, unmodified, against a server; prints what it got as one line of JSON.
import OpenAI from "openai";

const [baseURL, apiKey] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
const messages = [{ role: "user", content: "When do you post?" }];
const model = "production";

const whole = await client.chat.completions.create({ model, messages, logprobs: true, top_logprobs: 2 });
const stream = await client.chat.completions.create({ model, messages, stream: true, stream_options: { include_usage: true } });
const pieces = [];
let usage = null;
for await (const chunk of stream) {
  pieces.push(chunk.choices[0]?.delta?.content ?? "");
  usage = chunk.usage ?? usage;
}
const schema = { type: "object", properties: { days: { type: "integer" } }, required: ["days"] };
const format = { type: "json_schema", json_schema: { name: "days", schema } };
const json = await client.chat.completions.create({ model, messages, response_format: format });
const names = (await client.models.list()).data.map((one) => one.id);
const vectors = await client.embeddings.create({ model: "universal-sentence-encoder", input: ["one", "two"] });
const refused = await client.chat.completions.create({ model: "gpt", messages }).catch((problem) => problem);
const unknown = await new OpenAI({ baseURL, apiKey: "tb_x_y", maxRetries: 0 }).models.list().catch((problem) => problem);

console.log(JSON.stringify({
  whole: whole.choices[0].message.content,
  usage: whole.usage.total_tokens,
  logprobs: whole.choices[0].logprobs.content.length,
  streamed: pieces.join(""),
  streamedUsage: usage?.total_tokens,
  json: json.choices[0].message.content,
  names,
  widths: vectors.data.map((one) => one.embedding.length),
  refused: [refused.constructor.name, refused.status, refused.code],
  unknown: [unknown.constructor.name, unknown.status, unknown.code],
}));
