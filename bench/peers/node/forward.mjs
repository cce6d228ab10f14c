// What the peers that run in node do to reach the upstream, and what they answer where they are the application
// themselves.
import http from "node:http";

const agent = new http.Agent({ keepAlive: true, maxSockets: Infinity });
let answered = 0;

// The body of the upstream's answer; fails for any status but 200.
export function forward(port, path, key, body) {
  return new Promise((resolve, reject) => {
    const headers = { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) };
    if (key !== undefined) headers["Idempotency-Key"] = key;
    const request = http.request({ host: "127.0.0.1", port, path, method: "POST", agent, headers }, (response) => {
      const pieces = [];
      response.on("data", (piece) => pieces.push(piece));
      response.on("error", reject);
      response.on("end", () => {
        const text = Buffer.concat(pieces).toString();
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(`the upstream answered ${response.statusCode}`));
      });
    });
    request.on("error", reject);
    request.end(body);
  });
}

// As long as the upstream's answer, and never the same twice.
export function answer() {
  const number = `${process.pid}-${++answered}`;
  return { number, note: "y".repeat(300 - 24 - number.length) };
}
