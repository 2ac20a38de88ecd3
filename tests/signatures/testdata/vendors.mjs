// Signs and verifies deliveries with the vendors' own packages. A job a line of standard input, an answer a line of output.
import { createInterface } from "node:readline";
import Stripe from "stripe";
import { Webhook } from "standardwebhooks";
import { Webhooks } from "@octokit/webhooks";

const stripe = new Stripe("sk_test_example");

const vendors = {
  stripe: {
    sign: ({ secret, at, body }) => ({
      "Stripe-Signature": stripe.webhooks.generateTestHeaderString({ payload: body, secret, timestamp: at }),
    }),
    verify: ({ secret, header, body }) => {
      stripe.webhooks.constructEvent(body, header["Stripe-Signature"], secret);
      return true;
    },
  },
  standard_webhooks: {
    sign: ({ secret, id, at, body }) => ({
      "Webhook-Id": id,
      "Webhook-Timestamp": String(at),
      "Webhook-Signature": new Webhook(secret).sign(id, new Date(at * 1000), body),
    }),
    verify: ({ secret, header, body }) => {
      new Webhook(secret).verify(body, header, { jsonParse: false });
      return true;
    },
  },
  github: {
    sign: async ({ secret, body }) => ({ "X-Hub-Signature-256": await new Webhooks({ secret }).sign(body) }),
    verify: ({ secret, header, body }) => new Webhooks({ secret }).verify(body, header["X-Hub-Signature-256"]),
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const job = JSON.parse(line);
  const vendor = vendors[job.provider];
  let answer;
  if (job.header) {
    try {
      answer = { accepted: await vendor.verify(job) };
    } catch (err) {
      answer = { accepted: false, why: err.constructor.name };
    }
  } else {
    answer = { header: await vendor.sign(job) };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}
