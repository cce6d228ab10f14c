// What it costs to know a request and to replay its answer: a POST of 200 bytes with six fields, a response of 300.

#include <benchmark/benchmark.h>

#include <array>
#include <string>

#include "base/bytes.h"
#include "core/fingerprint.h"
#include "core/idempotency_key.h"
#include "core/policy.h"
#include "core/prepared_policy.h"
#include "core/record_key.h"
#include "core/replay.h"

namespace onceward::core {
namespace {

const deployment_secret secret("0123456789abcdef0123456789abcdef");

const std::array fields = {
    http::make_field("Host", "api.example.com"),
    http::make_field("Content-Type", "application/json"),
    http::make_field("Authorization", "Bearer sk_test_4eC39HqLyjWDarjtT1zdp7dc"),
    http::make_field("Idempotency-Key", "8e03978e-40d5-43dd-bc93-6894a57f9324"),
    http::make_field("User-Agent", "bench/1.0"),
    http::make_field("Content-Length", "200"),
};

std::string json_body() {
  std::string body = R"({"amount":2000,"currency":"eur","customer":"cus_9s6XKzkNRiz8i3","description":")";
  body.append(200 - body.size() - 2, 'x');
  return body + "\"}";
}

prepared_policy prepared(body_recipe body) {
  policy rules = *profile("default");
  rules.fingerprint.body = body;
  return *prepare(std::move(rules));
}

void scope_of_a_credential(benchmark::State& state) {
  const prepared_policy rules = prepared(body_recipe::raw);
  for (auto _ : state)
    benchmark::DoNotOptimize(rules.scopes.read(secret, fields));
}
BENCHMARK(scope_of_a_credential);

void key_of_a_field(benchmark::State& state) {
  const prepared_policy rules = prepared(body_recipe::raw);
  for (auto _ : state)
    benchmark::DoNotOptimize(rules.keys.read(fields));
}
BENCHMARK(key_of_a_field);

void record_key_of_a_request(benchmark::State& state) {
  const scope whose;
  for (auto _ : state) {
    benchmark::DoNotOptimize(make_record_key(secret, whose, {operation_kind::path, "POST", "/v1/charges"},
                                             "8e03978e-40d5-43dd-bc93-6894a57f9324"));
  }
}
BENCHMARK(record_key_of_a_request);

void fingerprint_of_a_request(benchmark::State& state) {
  const prepared_policy rules = prepared(static_cast<body_recipe>(state.range(0)));
  const std::string body = json_body();
  for (auto _ : state) {
    benchmark::DoNotOptimize(make_fingerprint(secret, rules.recipe, "POST", "/v1/charges", fields, body));
  }
}
BENCHMARK(fingerprint_of_a_request)->ArgName("recipe")->Arg(int(body_recipe::raw))->Arg(int(body_recipe::json));

void identity_of_a_request(benchmark::State& state) {
  const prepared_policy rules = prepared(body_recipe::raw);
  const std::string body = json_body();
  for (auto _ : state) {
    const key_reading key = rules.keys.read(fields);
    const scope whose = rules.scopes.read(secret, fields);
    const operation_view operation = operation_of(rules.rules, "POST", "/v1/charges");
    benchmark::DoNotOptimize(make_record_key(secret, whose, operation, std::get<idempotency_key>(key).value));
    benchmark::DoNotOptimize(make_fingerprint(secret, rules.recipe, "POST", "/v1/charges", fields, body));
  }
}
BENCHMARK(identity_of_a_request);

const std::array response_fields = {
    http::make_field("Content-Type", "application/json"),
    http::make_field("Location", "/v1/charges/ch_3MmlLrLkdIwHu7ix0snN0B15"),
    http::make_field("Date", "Sun, 06 Nov 1994 08:49:37 GMT"),
    http::make_field("X-Request-Id", "req_9rWq8iRXHxKqzA"),
    http::make_field("Content-Length", "300"),
};

http::response_head_view response_head() {
  http::response_head_view head;
  head.status = 201;
  head.fields = response_fields;
  return head;
}

void keep_a_response(benchmark::State& state) {
  const replay_rules rules{replay_policy{}};
  const http::response_head_view head = response_head();
  const std::string body(300, 'x');
  for (auto _ : state)
    benchmark::DoNotOptimize(rules.keep(head, body));
}
BENCHMARK(keep_a_response);

void replay_a_response(benchmark::State& state) {
  const replay_rules rules{replay_policy{}};
  const shared_bytes stored = rules.keep(response_head(), std::string(300, 'x'));
  base::byte_buffer out;
  for (auto _ : state) {
    append_replay(out, *read_response(*stored), rules, {.date = "Sun, 06 Nov 1994 08:49:37 GMT"});
    benchmark::DoNotOptimize(out.readable().data());
    out.clear();
  }
}
BENCHMARK(replay_a_response);

}  // namespace
}  // namespace onceward::core
