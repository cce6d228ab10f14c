// Makes one charge with a real client from the registry, as its users call it, and prints what came of it as JSON:
//
//   node charge.mjs stripe|knock BASE_URL OPTIONS
//
// OPTIONS is JSON: timeout_ms, retries, and the amount charged.
import Knock from "@knocklabs/node";
import Stripe from "stripe";

const clients = {
  async stripe(base, { timeout_ms, retries, amount }) {
    const client = new Stripe("sk_test_onceward", {
      protocol: base.protocol.replace(":", ""),
      host: base.hostname,
      port: base.port,
      timeout: timeout_ms,
      maxNetworkRetries: retries,
      telemetry: false,
    });
    return client.charges.create({ amount, currency: "eur", source: "tok_visa" });
  },
  async knock(base, { timeout_ms, retries, amount }) {
    const options = { apiKey: "sk_test_onceward", baseURL: base.origin, timeout: timeout_ms, maxRetries: retries };
    const client = new Knock(options);
    return client.workflows.trigger("charge", { recipients: ["user-1"], data: { amount } });
  },
};

const [name, base, options] = process.argv.slice(2);
try {
  const result = await clients[name](new URL(base), JSON.parse(options));
  console.log(JSON.stringify({ succeeded: true, effect: result.effect }));
} catch (error) {
  const status = error.statusCode ?? error.status;
  console.log(JSON.stringify({ succeeded: false, status, error: `${error.constructor.name}: ${error.message}` }));
}
process.exit(0);
