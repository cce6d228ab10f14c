// Any bytes as what a client sends on one connection, and as what the upstream answers: through parser, admission,
// exchange, store, pool and replay. The upstream understands whatever reaches it and sees each key at most once; and
// what the client is told does not depend on how its bytes were cut, or how fast it takes the answers.
//
// The first three bytes of the input say where the client's bytes are cut and how many of the answer's are taken at a
// time; the fourth which answer the upstream gives, or that it is the rest of the input behind two bytes 0xff.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "base/assert.h"
#include "tests/fuzz/fuzzed_worker.h"

namespace {

using namespace onceward;

struct told {
  int status;
  std::string body;
  friend bool operator==(const told&, const told&) = default;
};

// The methods of the requests that the client's bytes are, as far as they are understood.
std::vector<http::method_id> methods_of(std::string_view bytes) {
  http::request_head_reader reader({}, http::underscore_policy::drop);
  std::vector<http::method_id> methods;
  while (!bytes.empty()) {
    const auto outcome = reader.feed(bytes);
    const auto* head = std::get_if<http::request_head_view>(&outcome);
    if (head == nullptr) break;
    methods.push_back(head->verb);
    bytes.remove_prefix(head->bytes);
    http::body_reader body(head->framing, {});
    reader.next();
    while (!body.done()) {
      const auto step = body.consume(bytes);
      const auto* progress = std::get_if<http::body_progress>(&step);
      if (progress == nullptr || (bytes.empty() && !progress->done)) return methods;
      bytes.remove_prefix(progress->consumed);
    }
  }
  return methods;
}

// One answer, without the interim ones before it; nothing where it is not whole.
std::optional<told> next_answer(http::response_head_reader& reader, std::string_view& bytes) {
  for (;;) {
    if (bytes.empty()) return std::nullopt;
    const auto outcome = reader.feed(bytes);
    onceward_assert(!std::holds_alternative<http::parse_error>(outcome));
    const auto* head = std::get_if<http::response_head_view>(&outcome);
    if (head == nullptr) return std::nullopt;
    bytes.remove_prefix(head->bytes);
    if (head->status == 101) return std::nullopt;
    const bool interim = head->is_interim();
    told answer{head->status, ""};
    http::body_reader body(head->framing, {});
    reader.next();
    while (!interim && !body.done()) {
      const auto step = body.consume(bytes);
      onceward_assert(!std::holds_alternative<http::parse_error>(step));
      const auto& progress = std::get<http::body_progress>(step);
      answer.body += progress.data;
      bytes.remove_prefix(progress.consumed);
      if (bytes.empty() && !body.done()) {
        // What the connection's end ends is whole.
        if (body.finish()) return std::nullopt;
        break;
      }
    }
    if (!interim) return answer;
  }
}

// Whatever the gateway says is HTTP, and answers the requests in their order.
std::vector<told> answers_in(std::string_view bytes, const std::vector<http::method_id>& methods) {
  std::vector<told> answers;
  http::response_head_reader reader{http::head_limits{}};
  for (std::size_t i = 0; !bytes.empty(); ++i) {
    // Behind the requests that are understood there is the refusal of one that is not.
    reader.start(i < methods.size() ? methods[i] : http::method_id::post);
    auto answer = next_answer(reader, bytes);
    if (!answer) break;
    onceward_assert(i <= methods.size());
    answers.push_back(std::move(*answer));
  }
  return answers;
}

constexpr std::string_view usual_answers[] = {
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\nLocation: /x\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nRetry-After: 1\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 None\r\n\r\n",
    "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\nConnection: close\r\n\r\nnone",
    "HTTP/1.1 200 OK\r\n\r\nuntil the end",
};

struct play {
  std::string_view sent_by_client;
  fuzz::fuzzed_worker::upstream_habit habit;
  bool upstream_completes;  // Each request, with something that is recorded.
};

play play_of(std::uint8_t choice, std::string_view rest) {
  const std::size_t mark = rest.find("\xff\xff");
  if (mark != std::string_view::npos) {
    return {rest.substr(0, mark), {std::string(rest.substr(mark + 2)), choice % 2 == 0}, false};
  }
  const std::size_t which = choice % std::size(usual_answers);
  return {rest, {std::string(usual_answers[which]), which == 5}, which < 2};
}

std::string answers_to(const play& what, std::size_t first, std::size_t then, std::size_t taken_at_once) {
  fuzz::fuzzed_worker worker(what.habit);
  const auto client = worker.connect_client(taken_at_once);
  std::string_view bytes = what.sent_by_client;
  for (std::size_t size = first; !bytes.empty(); size = then) {
    client->deliver(bytes.substr(0, std::max<std::size_t>(size, 1)));
    bytes.remove_prefix(std::min(std::max<std::size_t>(size, 1), bytes.size()));
    worker.run();
  }
  client->end_delivery();
  worker.run();

  std::set<std::tuple<std::string, std::string, std::string>> seen;
  for (const auto& each : worker.forwarded()) {
    const std::string path = each.target.substr(0, each.target.find('?'));
    const bool guarded = (each.method == "POST" || each.method == "PATCH") && !each.key.empty();
    onceward_assert(!guarded || !what.upstream_completes || seen.emplace(each.method, path, each.key).second);
  }
  return client->sent();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4) return 0;
  const play what = play_of(data[3], {reinterpret_cast<const char*>(data + 4), size - 4});
  const auto methods = methods_of(what.sent_by_client);
  const auto whole = answers_in(answers_to(what, std::string::npos, 0, std::string::npos), methods);
  const auto cut = answers_in(answers_to(what, data[0], data[1], data[2] + 1U), methods);

  // A refusal may end the connection or not, by how much of the body had come; up to there all is the same.
  for (std::size_t i = 0; i < std::min(whole.size(), cut.size()); ++i)
    onceward_assert(whole[i] == cut[i]);
  return 0;
}
