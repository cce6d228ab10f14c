#include "tests/simulation/upstream.h"

#include <algorithm>
#include <utility>

namespace onceward::simulation {
// A connection as the upstream has it.
class upstream::session final : public outsider, public std::enable_shared_from_this<upstream::session> {
 public:
  session(upstream& of, std::shared_ptr<wire> over) : of_(of), wire_(std::move(over)) { wire_->set_outsider(this); }
  ~session() override { wire_->set_outsider(nullptr); }

  void on_bytes(std::string_view bytes) override {
    if (gone_) return wire_->reset();
    // The end of an idle connection and the next request meet on their way.
    if (served_ && of_.ends_idle_until_ > of_.time_.now() && of_.random_.below(2) == 0) {
      of_.sees_.saw(sometimes::idle_connection_ended);
      return break_off();
    }
    reader_.append(bytes);
    while (const auto request = reader_.take()) {
      busy = true;
      of_.take(*this, *request);
    }
  }
  void on_ended() override { close(); }
  void on_lost() override { gone_ = true; }

  void send(std::string_view text) {
    if (!gone_) wire_->send(text);
    busy = false;
    served_ = true;
  }
  void close() {
    if (std::exchange(gone_, true)) return;
    wire_->end_sending();
  }
  void break_off() {
    if (std::exchange(gone_, true)) return;
    wire_->reset();
  }
  bool gone() const { return gone_; }
  // Some of a request is here or on its way.
  bool is_receiving() const { return !wire_->is_lost() && (!reader_.empty() || !wire_->on_the_way_out().empty()); }

  bool busy = false;

 private:
  upstream& of_;
  std::shared_ptr<wire> wire_;
  message_reader reader_;
  bool gone_ = false;
  bool served_ = false;
};

upstream::upstream(schedule& time, const scenario& about, const operations& all, observer& sees, std::uint64_t seed)
    : time_(time), about_(about), all_(all), sees_(sees), seed_(seed), random_(seed, {1}) {}

upstream::~upstream() = default;

void upstream::accept(const std::shared_ptr<wire>& made) {
  std::erase_if(sessions_, [](const auto& each) { return each->gone() && !each->busy; });
  sessions_.push_back(std::make_shared<session>(*this, made));
}

void upstream::go_down(bool silently) {
  down_ = silently ? admission::silence : admission::refused;
  for (const auto& each : sessions_)
    each->break_off();
}

std::optional<std::uint64_t> upstream::truth(operation_number which) const {
  // What is still on its way could be for any operation.
  for (const auto& each : sessions_) {
    if (each->is_receiving()) return std::nullopt;
  }
  return sees_.truth(which);
}

// ---- Requests ------------------------------------------------------------------------------------------------------

void upstream::take(session& from, const message& request) {
  const bool is_question = request.start_line.starts_with("GET ");
  const std::string_view key =
      is_question ? std::string_view(request.start_line).substr(12) : request.field("Idempotency-Key");
  const auto which = all_.with(request.field("Authorization"), key);
  if (!which) {
    sees_.report("claim-before-forward", "the upstream got a request that nobody sent: " + request.start_line);
    return from.break_off();
  }
  if (is_question) return tell_status(from, *which);
  take_guarded(from, *which, request);
}

void upstream::tell_status(session& to, operation_number which) {
  const auto later = milliseconds(random_.between(1, 20));
  time_.in(later, [this, self = to.shared_from_this(), which] {
    if (!calm_ && random_.chance(0.1)) return self->send("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n");
    const auto known = truth(which);
    if (!known) return self->send("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
    if (*known == 0) {
      sees_.saw(sometimes::probe_freed);
      return self->send("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    }
    sees_.saw(sometimes::probe_found);
    sees_.upstream_gave_result(*known, 200);
    self->send(answer_text(200, *known, "", about_.answer_bytes));
  });
}

upstream::ending upstream::choose(dice& random) const {
  if (calm_) return ending::answered;
  const std::pair<double, ending> parts[] = {{about_.rejects, ending::rejected},
                                             {about_.refuses, ending::refused},
                                             {about_.gateway_timeouts / 2, ending::gateway_timeout},
                                             {about_.gateway_timeouts / 2, ending::gateway_timeout_after},
                                             {about_.cuts_before, ending::cut_before},
                                             {about_.cuts_after, ending::cut_after},
                                             {about_.truncates, ending::truncated},
                                             {about_.hangs / 2, ending::hung},
                                             {about_.hangs / 2, ending::hung_after},
                                             {about_.answers_large, ending::large},
                                             {about_.states_outcome / 3, ending::stated_completed},
                                             {about_.states_outcome / 3, ending::stated_released},
                                             {about_.states_outcome / 3, ending::stated_unknown}};
  double place = static_cast<double>(random.below(1'000'000)) / 1e6;
  for (const auto& [part, how] : parts) {
    if (place < part) return how;
    place -= part;
  }
  return ending::answered;
}

void upstream::take_guarded(session& from, operation_number which, const message& request) {
  const std::uint64_t number = number_after(request.field("X-Try"), "").value_or(0);
  const std::uint64_t token = number_after(request.field("Idempotency-Fence"), "").value_or(0);
  const unsigned body = operations::body_in(request.body);
  const auto before = about_.deduplicates ? sees_.truth_at_upstream(which) : std::optional<std::uint64_t>{0};
  const std::uint64_t attempt = sees_.upstream_got(which, body, token, number);
  dice random(seed_, {number, token});
  task what{attempt, choose(random)};
  if (about_.deduplicates && before != 0) {
    // It knows the key: the same answer again, or not now.
    sees_.upstream_will_not(attempt);
    what.how = before ? ending::answered : ending::refused;
    if (before) what.attempt = *before;
    if (!before) return from.send(answer_text(503, attempt, "", about_.answer_bytes));
    sees_.upstream_gave_result(what.attempt, 201);
    return from.send(answer_text(201, what.attempt, "", about_.answer_bytes));
  }
  const bool long_work = !calm_ && random.chance(about_.works_long);
  const milliseconds effect_after(random.between(1, 30) + (long_work ? about_.works_long_for.count() : 0));
  work(from.shared_from_this(), what, effect_after, milliseconds(random.between(0, 5)));
}

void upstream::work(const std::shared_ptr<session>& from, task what, milliseconds effect_after,
                    milliseconds answer_after) {
  // Some go on although nobody waits any more; others notice, if they have not begun.
  const bool goes_on_alone = dice(seed_, {what.attempt, 2}).below(2) == 0;
  time_.in(effect_after, [this, from, what, answer_after, goes_on_alone] {
    const bool has_effect = [&] {
      switch (what.how) {
        case ending::answered:
        case ending::gateway_timeout_after:
        case ending::cut_after:
        case ending::truncated:
        case ending::hung_after:
        case ending::large:
        case ending::stated_completed:
        case ending::stated_unknown:
          return true;
        case ending::rejected:
        case ending::refused:
        case ending::gateway_timeout:
        case ending::cut_before:
        case ending::hung:
        case ending::stated_released:
          return false;
      }
      return false;
    }();
    if (from->gone() && (!goes_on_alone || !has_effect)) {
      sees_.upstream_will_not(what.attempt);
      from->busy = false;
      return;
    }
    if (from->gone()) sees_.saw(sometimes::upstream_worked_on_alone);
    if (has_effect) {
      sees_.upstream_did(what.attempt);
    } else {
      sees_.upstream_will_not(what.attempt);
    }
    time_.in(answer_after, [this, from, what] { answer(*from, what); });
  });
}

void upstream::answer(session& to, task what) {
  const auto send = [&](int status, std::string_view extra, std::size_t size) {
    to.send(answer_text(status, what.attempt, extra, size));
  };
  const auto send_result = [&](int status, std::string_view extra, std::size_t size) {
    sees_.upstream_gave_result(what.attempt, status);
    send(status, extra, size);
  };
  const std::size_t bytes = about_.answer_bytes;
  switch (what.how) {
    case ending::answered:
      return send_result(201, "", bytes);
    case ending::rejected:
      return send_result(404, "", bytes);
    case ending::refused:
      return send(503, "", bytes);
    case ending::gateway_timeout:
    case ending::gateway_timeout_after:
      return send(504, "", bytes);
    case ending::cut_before:
    case ending::cut_after:
      to.busy = false;
      return to.break_off();
    case ending::truncated: {
      const std::string whole = answer_text(201, what.attempt, "", bytes);
      to.send(std::string_view(whole).substr(0, 1 + random_.below(whole.size() - 1)));
      sees_.saw(sometimes::upstream_answer_cut);
      return to.close();
    }
    case ending::hung:
    case ending::hung_after:
      return;
    case ending::large:
      return send_result(201, "", about_.rules.body_bytes_stored_max + 3'000);
    case ending::stated_completed:
      return send_result(500, "Idempotency-Outcome: completed\r\n", bytes);
    case ending::stated_released:
      return send(422, "Idempotency-Outcome: released\r\n", bytes);
    case ending::stated_unknown:
      return send(202, "Idempotency-Outcome: unknown\r\n", bytes);
  }
}

std::string upstream::answer_text(int status, std::uint64_t attempt, std::string_view extra, std::size_t bytes) const {
  const std::string number = std::to_string(attempt);
  std::string body = "answer=" + number + " ";
  if (body.size() < bytes) body.append(bytes - body.size(), '.');
  std::string text = "HTTP/1.1 " + std::to_string(status) + " Said\r\n";
  text += "Location: /things/answer=" + number + "\r\n";
  text += extra;
  text += "Content-Type: text/plain\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  text += body;
  return text;
}

}  // namespace onceward::simulation
