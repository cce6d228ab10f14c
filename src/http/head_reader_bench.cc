// What one exchange costs in this folder: reading a typical head, and writing it again for the next hop.

#include <benchmark/benchmark.h>

#include <string>
#include <string_view>
#include <variant>

#include "base/bytes.h"
#include "http/head_reader.h"
#include "http/kept_head.h"
#include "http/writer.h"

namespace onceward::http {

namespace {

constexpr std::string_view request =
    "POST /v1/payment_intents HTTP/1.1\r\n"
    "Host: api.example.com\r\n"
    "User-Agent: example-node/23.1.0\r\n"
    "Accept: application/json\r\n"
    "Authorization: Bearer sk_test_4eC39HqLyjWDarjtT1zdp7dc\r\n"
    "Content-Type: application/x-www-form-urlencoded\r\n"
    "Content-Length: 200\r\n"
    "Idempotency-Key: 7f2d1c9e-3b4a-4a64-9e37-5c1e5b1f7a2d\r\n"
    "Accept-Encoding: gzip, deflate\r\n"
    "X-Request-Id: 01890a5d-ac96-774b-bcce-b302099a8057\r\n"
    "Connection: keep-alive\r\n"
    "\r\n";

constexpr std::string_view response =
    "HTTP/1.1 201 Created\r\n"
    "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
    "Server: example/1.2\r\n"
    "Content-Type: application/json\r\n"
    "Content-Length: 300\r\n"
    "Cache-Control: no-cache, no-store\r\n"
    "Location: /v1/payment_intents/pi_3MtwBwLkdIwHu7ix28a3tqPa\r\n"
    "X-Request-Id: 01890a5d-ac96-774b-bcce-b302099a8057\r\n"
    "Connection: keep-alive\r\n"
    "\r\n";

void scan_request(benchmark::State& state) {
  head_scanner scanner(head_kind::request);
  for (auto _ : state) {
    scanner.reset();
    auto outcome = scanner.scan(request, {});
    benchmark::DoNotOptimize(outcome);
  }
}
BENCHMARK(scan_request);

void read_request(benchmark::State& state) {
  request_head_reader reader;
  for (auto _ : state) {
    reader.next();
    auto outcome = reader.feed(request);
    benchmark::DoNotOptimize(outcome);
  }
}
BENCHMARK(read_request);

void read_and_write_request(benchmark::State& state) {
  request_head_reader reader;
  base::byte_buffer out;
  for (auto _ : state) {
    reader.next();
    const auto outcome = reader.feed(request);
    const auto& head = std::get<request_head_view>(outcome);
    out.clear();
    append_forwarded_request_head(out, head, {.framing = head.framing});
    benchmark::DoNotOptimize(out.readable().data());
  }
}
BENCHMARK(read_and_write_request);

void keep_request(benchmark::State& state) {
  request_head_reader reader;
  const auto outcome = reader.feed(request);
  kept_request_head kept;
  for (auto _ : state) {
    kept.assign(std::get<request_head_view>(outcome));
    benchmark::DoNotOptimize(kept.view().fields.data());
  }
}
BENCHMARK(keep_request);

void read_and_write_response(benchmark::State& state) {
  response_head_reader reader;
  base::byte_buffer out;
  for (auto _ : state) {
    reader.start(method_id::post);
    const auto outcome = reader.feed(response);
    const auto& head = std::get<response_head_view>(outcome);
    out.clear();
    append_forwarded_response_head(out, head, {.framing = head.framing});
    benchmark::DoNotOptimize(out.readable().data());
  }
}
BENCHMARK(read_and_write_response);

}  // namespace

}  // namespace onceward::http
