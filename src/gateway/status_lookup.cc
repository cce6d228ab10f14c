#include "gateway/status_lookup.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "core/record_codec.h"
#include "core/record_key.h"
#include "gateway/problem_page.h"
#include "gateway/record_document.h"
#include "http/characters.h"

namespace onceward::gateway {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view operation_field = "Onceward-Operation";

core::problem bad_request(std::string detail) {
  core::problem what = core::make_problem(core::problem_type::http, core::policy{}, core::operation_state::absent);
  what.status = 400;
  what.word = "bad-request";
  what.detail = std::move(detail);
  return what;
}

struct operation {
  std::string_view method;
  std::string_view path;
};

// "POST /v1/charges"; a query is not part of an operation and is cut off.
std::optional<operation> read_operation(http::fields_view fields) {
  const auto value = http::find(fields, operation_field);
  if (!value) return std::nullopt;
  const std::size_t space = value->find(' ');
  if (space == std::string_view::npos || !http::is_token(value->substr(0, space))) return std::nullopt;
  const std::string_view target = value->substr(space + 1);
  if (!target.starts_with('/') || target.find(' ') != std::string_view::npos) return std::nullopt;
  return operation{value->substr(0, space), target.substr(0, target.find('?'))};
}

// Prefer: wait=N, in seconds (RFC 7240 section 4.3).
milliseconds wait_preferred(http::fields_view fields) {
  milliseconds wanted{0};
  http::for_each_token(fields, http::field_id::prefer, [&](std::string_view preference) {
    if (!preference.starts_with("wait=")) return true;
    unsigned seconds = 0;
    const std::string_view number = preference.substr(5);
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), seconds);
    if (error == std::errc{} && end == number.data() + number.size()) {
      wanted = std::chrono::seconds{std::min(seconds, 3'600u)};
    }
    return true;
  });
  return wanted;
}

// One question under way: a find, and for a response in flight a wait for the attempt's end.
class lookup final : public local_exchange, public io::mail_receiver {
 public:
  struct question {
    record_key key;
    io::waiter_scope scope;
    const core::prepared_policy& rules;
    bool wants_response;
    milliseconds wait;
  };

  lookup(io::worker_context& context, question asked, local_responder& responder)
      : context_(context),
        asked_(asked),
        responder_(responder),
        deadline_(context.loop, [this] { stop_waiting(); }),
        tag_(context.replies.add(*this)) {
    find();
  }
  ~lookup() override {
    leave();
    context_.replies.remove(tag_);
  }

 private:
  enum class step { finding, joining, waiting, answered };

  void find() { context_.records.submit(onceward::find{asked_.key}, context_.replies, tag_); }

  void leave() {
    if (waits_) context_.waiters.leave(asked_.key, context_.replies, tag_);
    waits_ = false;
  }

  void store_replied(reply&& found, bool) override {
    if (step_ == step::answered) return;
    if (const auto* failure = std::get_if<store_failure>(&found)) return fail(*failure);
    if (!asked_.wants_response) return document(found);
    const bool in_flight = std::holds_alternative<record_in_flight>(found);
    if (in_flight && step_ == step::finding && asked_.wait > milliseconds{0}) return join();
    // Joined, and still in flight: the wake-up or the deadline ends it.
    if (in_flight && step_ == step::joining) {
      step_ = step::waiting;
      return;
    }
    respond(found);
  }

  // Joins before it looks again, so that an end in between is not missed.
  void join() {
    if (!context_.waiters.join(asked_.key, asked_.scope, context_.replies, tag_)) return stop_waiting();
    waits_ = true;
    step_ = step::joining;
    deadline_.arm(context_.loop.now() + asked_.wait);
    find();
  }

  void attempt_ended(const core::ended_attempt&) override {
    waits_ = false;
    if (step_ == step::answered) return;
    step_ = step::waiting;
    find();
  }

  void stop_waiting() { refuse(core::problem_type::in_flight, core::operation_state::in_flight); }

  void fail(const store_failure&) { refuse(core::problem_type::store_unavailable, core::operation_state::unknown); }

  void refuse(core::problem_type type, core::operation_state state) {
    refuse(core::make_problem(type, asked_.rules.rules, state));
  }
  void refuse(core::problem what) {
    end();
    responder_.problem(what);
  }

  void document(const reply& found) {
    end();
    responder_.document(200, "application/json", record_document(found));
  }

  void respond(const reply& found) {
    if (const auto* done = std::get_if<record_completed>(&found)) return respond(*done);
    if (std::holds_alternative<record_unknown>(found)) {
      return refuse(core::problem_type::outcome_unknown, core::operation_state::unknown);
    }
    if (std::holds_alternative<record_in_flight>(found)) return stop_waiting();
    const bool released = std::holds_alternative<record_released>(found);
    refuse(core::problem_type::not_found, released ? core::operation_state::released : core::operation_state::absent);
  }

  void respond(const record_completed& done) {
    if (done.response != nullptr) {
      end();
      return responder_.replay(done.response, asked_.rules);
    }
    core::problem what =
        core::make_problem(core::problem_type::result_gone, asked_.rules.rules, core::operation_state::completed);
    if (const auto left = core::read_tombstone(*done.tombstone)) {
      what.result_status = left->status;
      what.result_location = std::string(left->location);
    }
    refuse(std::move(what));
  }

  void end() {
    step_ = step::answered;
    deadline_.cancel();
    leave();
  }

  io::worker_context& context_;
  question asked_;
  local_responder& responder_;
  net::deadline deadline_;
  io::mail_tag tag_;
  step step_ = step::finding;
  bool waits_ = false;
};

}  // namespace

status_lookup::status_lookup(std::string_view prefix, const route_table& routes, const core::deployment_secret& secret,
                             core::digest_memo& digests, trusted_peers trusted, io::worker_context& context)
    : prefix_(prefix),
      routes_(routes),
      secret_(secret),
      digests_(digests),
      trusted_(std::move(trusted)),
      context_(context) {}

std::unique_ptr<local_exchange> status_lookup::start(const local_request_view& request, local_responder& responder) {
  const std::string_view resource = request.head.path.substr(std::min(prefix_.size(), request.head.path.size()));
  if (request.head.verb != http::method_id::get && request.head.verb != http::method_id::head) {
    core::problem what = bad_request("This path answers GET only.");
    what.status = 405;
    what.word = "method-not-allowed";
    responder.problem(what);
    return nullptr;
  }
  if (resource == "record") return look_up(request, false, responder);
  if (resource == "response") return look_up(request, true, responder);
  constexpr std::string_view pages = "problems/";
  if (resource.starts_with(pages)) {
    if (const auto page = problem_page(resource.substr(pages.size()))) {
      responder.document(200, "text/plain; charset=utf-8", *page);
      return nullptr;
    }
  }
  responder.problem(core::make_problem(core::problem_type::not_found, core::policy{}, core::operation_state::absent));
  return nullptr;
}

std::unique_ptr<local_exchange> status_lookup::look_up(const local_request_view& request, bool wants_response,
                                                       local_responder& responder) {
  const http::fields_view fields = request.head.fields;
  const auto refuse = [&](const core::problem& what) {
    responder.problem(what);
    return nullptr;
  };
  const auto named = read_operation(fields);
  if (!named) return refuse(bad_request("The field Onceward-Operation must name the request: METHOD /path."));
  const auto route = routes_.match(named->method, named->path);
  if (!route) return refuse(bad_request("The path of Onceward-Operation has more than one meaning."));
  const core::prepared_policy& rules = *route->rules;
  if (rules.rules.on_mismatch == core::mismatch_policy::new_operation) {
    return refuse(bad_request("Records of this operation are named by their payload too and cannot be looked up."));
  }
  const admission found = admit(rules, secret_, digests_, trusted_, request.head, {}, request.peer_ip);
  if (const auto* wrong = std::get_if<core::problem>(&found)) return refuse(*wrong);
  const auto* who = std::get_if<admitted>(&found);
  if (who == nullptr) {
    return refuse(core::make_problem(core::problem_type::key_missing, rules.rules, core::operation_state::absent));
  }
  const lookup::question asked{
      .key = core::make_record_key(secret_, who->whose, core::operation_of(rules.rules, named->method, named->path),
                                   who->key.value),
      .scope = io::waiter_scope_of(who->whose),
      .rules = rules,
      .wants_response = wants_response,
      .wait = std::min(wait_preferred(fields), rules.rules.wait)};
  return std::make_unique<lookup>(context_, asked, responder);
}

}  // namespace onceward::gateway
