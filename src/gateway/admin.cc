#include "gateway/admin.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include "base/hex.h"
#include "gateway/record_document.h"
#include "gateway/resolution.h"

namespace onceward::gateway {
namespace {

constexpr std::size_t listed_default = 100;
constexpr std::size_t listed_max = 1'000;

core::problem refusal(std::uint16_t status, std::string_view word, std::string detail) {
  core::problem what = core::make_problem(core::problem_type::http, core::policy{}, core::operation_state::absent);
  what.status = status;
  what.word = word;
  what.detail = std::move(detail);
  return what;
}

core::problem store_failed() {
  return core::make_problem(core::problem_type::store_unavailable, core::policy{}, core::operation_state::unknown);
}

std::optional<std::string_view> parameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.starts_with(name) && pair.substr(name.size()).starts_with('=')) return pair.substr(name.size() + 1);
  }
  return std::nullopt;
}

std::optional<record_key> read_record_key(std::string_view digits) {
  record_key key;
  if (!base::from_hex(digits, key.bytes)) return std::nullopt;
  return key;
}

// A command at the store whose reply becomes the answer.
class one_command : public local_exchange, public io::mail_receiver {
 public:
  one_command(io::worker_context& context, local_responder& responder)
      : responder_(responder), context_(context), tag_(context.replies.add(*this)) {}
  ~one_command() override { context_.replies.remove(tag_); }

 protected:
  void submit(command what) { context_.records.submit(std::move(what), context_.replies, tag_); }
  void answer(int status, const std::string& json) { responder_.document(status, "application/json", json); }

  virtual void replied(const reply& value) = 0;

  local_responder& responder_;

 private:
  void store_replied(reply&& value, bool) override {
    if (std::holds_alternative<store_failure>(value)) return responder_.problem(store_failed());
    replied(value);
  }
  void attempt_ended(const core::ended_attempt&) override {}

  io::worker_context& context_;
  io::mail_tag tag_;
};

class inspection final : public one_command {
 public:
  inspection(io::worker_context& context, local_responder& responder, const record_key& key)
      : one_command(context, responder), key_(key) {
    submit(find{key});
  }

 private:
  void replied(const reply& value) override {
    answer(std::holds_alternative<record_absent>(value) ? 404 : 200, record_document(value, key_));
  }

  record_key key_;
};

class listing final : public one_command {
 public:
  listing(io::worker_context& context, local_responder& responder, list_unknown what)
      : one_command(context, responder) {
    submit(what);
  }

 private:
  void replied(const reply& value) override { answer(200, record_list_document(std::get<unknown_listed>(value))); }
};

class purging final : public one_command {
 public:
  purging(io::worker_context& context, local_responder& responder) : one_command(context, responder) {
    submit(purge{});
  }

 private:
  void replied(const reply& value) override {
    answer(200, fmt::format("{{\"purged\":{}}}", std::get<purged>(value).records));
  }
};

// Resolves an unknown record in the name of the attempt that owns it, so that a straggler or another operator who was
// faster is not overwritten.
class resolving final : public one_command {
 public:
  resolving(io::worker_context& context, local_responder& responder, const record_key& key, resolution outcome,
            const core::policy& defaults, logger& log)
      : one_command(context, responder), key_(key), outcome_(std::move(outcome)), defaults_(defaults), log_(log) {
    submit(find{key});
  }

 private:
  void replied(const reply& value) override {
    if (submitted_) return resolved(value);
    const auto* open = std::get_if<record_unknown>(&value);
    if (open == nullptr) return not_unknown(value);
    submitted_ = true;
    if (const auto* completed = std::get_if<resolved_completed>(&outcome_)) {
      return submit(complete{key_, open->summary.attempt,
                             outcome_completed{completed->response, completed->tombstone, defaults_.retention,
                                               defaults_.retention_tombstone}});
    }
    submit(release{key_, open->summary.attempt});
  }

  void not_unknown(const reply& value) {
    const bool absent = std::holds_alternative<record_absent>(value);
    responder_.problem(
        refusal(absent ? 404 : 409, absent ? "not-found" : "not-unknown",
                absent ? "There is no such record." : "Only a record whose outcome is unknown can be resolved."));
  }

  void resolved(const reply& value) {
    const bool completed = std::holds_alternative<resolved_completed>(outcome_);
    if (!std::holds_alternative<applied>(value)) {
      return responder_.problem(refusal(409, "not-unknown", "The record was resolved by somebody else meanwhile."));
    }
    log_.warning("record-resolved", {{"record", key_hash(key_)}, {"outcome", completed ? "completed" : "released"}});
    answer(200, fmt::format("{{\"record\":\"{}\",\"state\":\"{}\"}}", base::to_hex(key_.bytes),
                            completed ? "completed" : "released"));
  }

  record_key key_;
  resolution outcome_;
  const core::policy& defaults_;
  logger& log_;
  bool submitted_ = false;
};

}  // namespace

admin::admin(const admin_sources& sources, const core::prepared_policy& defaults, io::worker_context& context,
             logger& log)
    : sources_(sources), defaults_(defaults), context_(context), log_(log) {}

std::unique_ptr<local_exchange> admin::start(const local_request_view& request, local_responder& responder) {
  const std::string_view path = request.head.path;
  const bool reads = request.head.verb == http::method_id::get || request.head.verb == http::method_id::head;
  if (path.starts_with("/records")) return records(request, responder);
  if (path != "/livez" && path != "/readyz" && path != "/metrics") {
    responder.problem(refusal(404, "not-found", "There are /livez, /readyz, /metrics and /records."));
  } else if (!reads) {
    responder.problem(refusal(405, "method-not-allowed", "This path answers GET only."));
  } else if (path == "/metrics") {
    responder.document(200, "text/plain; version=0.0.4; charset=utf-8", sources_.metrics_text());
  } else {
    const bool good = path == "/livez" || sources_.is_ready();
    responder.document(good ? 200 : 503, "text/plain; charset=utf-8", good ? "ok\n" : "not ready\n");
  }
  return nullptr;
}

std::unique_ptr<local_exchange> admin::records(const local_request_view& request, local_responder& responder) {
  const auto refuse = [&](std::uint16_t status, std::string_view word, std::string detail) {
    responder.problem(refusal(status, word, std::move(detail)));
    return nullptr;
  };
  const bool posts = request.head.verb == http::method_id::post;
  if (!posts && request.head.verb != http::method_id::get) {
    return refuse(405, "method-not-allowed", "Records are read by GET and changed by POST.");
  }
  std::string_view rest = request.head.path.substr(std::string_view("/records").size());
  if (rest == "/purge" && posts) return std::make_unique<purging>(context_, responder);
  if (rest.empty() && !posts) {
    const std::string_view query = request.head.query.value_or("");
    if (parameter(query, "state").value_or("unknown") != "unknown") {
      return refuse(400, "bad-request", "Only records of the state unknown are listed.");
    }
    list_unknown what{.after = {}, .limit = listed_default};
    if (const auto limit = parameter(query, "limit")) {
      const auto [end, error] = std::from_chars(limit->data(), limit->data() + limit->size(), what.limit);
      if (error != std::errc{} || end != limit->data() + limit->size() || what.limit == 0 || what.limit > listed_max) {
        return refuse(400, "bad-request", fmt::format("limit must be a number from 1 to {}.", listed_max));
      }
    }
    if (const auto after = parameter(query, "after")) {
      const auto key = read_record_key(*after);
      if (!key) return refuse(400, "bad-request", "after must be a record: 64 hexadecimal digits.");
      what.after = *key;
    }
    return std::make_unique<listing>(context_, responder, what);
  }
  if (!rest.starts_with('/')) return refuse(404, "not-found", "There is no such path.");
  rest.remove_prefix(1);
  const auto key = read_record_key(rest.substr(0, rest.find('/')));
  if (!key) return refuse(400, "bad-request", "A record is named by 64 hexadecimal digits.");
  const std::string_view verb = rest.find('/') == std::string_view::npos ? "" : rest.substr(rest.find('/'));
  if (verb.empty() && !posts) return std::make_unique<inspection>(context_, responder, *key);
  if (verb != "/resolve" || !posts)
    return refuse(404, "not-found", "A record is read by GET, or resolved by POST to /resolve.");
  auto outcome = read_resolution(request.body, defaults_.replays);
  if (!outcome) return refuse(400, "bad-request", outcome.error() + ".");
  return std::make_unique<resolving>(context_, responder, *key, std::move(*outcome), defaults_.rules, log_);
}

}  // namespace onceward::gateway
