#include "tests/simulation/client.h"

#include <utility>

#include "base/checksum.h"

namespace onceward::simulation {

using std::chrono::milliseconds;

namespace {

constexpr milliseconds patience{9'000};
constexpr int unknown_is_final_after = 3;  // Where asking again might resolve it.

told read_answer(const message& response) {
  told what;
  what.status = response.status();
  what.replayed = !response.field("Idempotent-Replayed").empty();
  constexpr std::string_view type = "urn:onceward:problem:";
  if (const std::size_t at = response.body.find(type); at != std::string::npos) {
    const std::size_t begin = at + type.size();
    what.problem = response.body.substr(begin, response.body.find('"', begin) - begin);
    what.new_key_safe = response.body.find("\"new_key_safe\":true") != std::string::npos;
    return what;
  }
  what.answer = number_after(response.body, "answer=");
  what.digest = base::checksum(response.body) + static_cast<std::uint64_t>(what.status);
  return what;
}

}  // namespace

client::client(client_surroundings& around, const wish& what)
    : around_(around), wish_(what), random_(around.seed, {what.name, 3}) {}

client::~client() {
  hang_up();
}

void client::begin() {
  send();
}

void client::send() {
  ++tries_;
  number_ = ++around_.tries;
  stage_ = stage::waiting;
  reader_.clear();
  around_.sees.client_sent(number_, wish_.operation, wish_.body);
  process& gateway = around_.choose_gateway(random_);
  wire_ = around_.net.connect(gateway, *this, random_.next());
  const std::string text = around_.all.request(wish_.operation, wish_.body, number_);
  const std::size_t cut = random_.below(4) == 0 ? random_.below(text.size()) : text.size();
  wire_->send(std::string_view(text).substr(0, cut));
  const auto still = [this, number = number_] { return stage_ == stage::waiting && number_ == number; };
  if (cut < text.size()) {
    around_.time.in(milliseconds(random_.between(1, 40)), [this, still, rest = text.substr(cut)] {
      if (still()) wire_->send(rest);
    });
  }
  if (wish_.leaves) {
    around_.time.in(milliseconds(random_.between(1, 60)), [this, still] {
      if (!still()) return;
      around_.sees.client_left(number_);
      hang_up();
      stage_ = stage::done;
    });
  }
  around_.time.in(patience, [this, still] {
    if (still()) lost();
  });
}

void client::hang_up() {
  if (wire_ != nullptr) wire_->forget_outsider();
  wire_ = nullptr;
}

void client::lost() {
  if (stage_ != stage::waiting) return;
  hang_up();
  rest();
}

void client::rest() {
  if (tries_ >= wish_.tries_max) {
    stage_ = stage::done;
    return;
  }
  stage_ = stage::resting;
  around_.time.in(milliseconds(random_.between(50, 900)), [this] { send(); });
}

void client::on_bytes(std::string_view bytes) {
  if (stage_ != stage::waiting) return;
  reader_.append(bytes);
  const auto response = reader_.take();
  if (response) take(*response);
}

void client::take(const message& response) {
  const told what = read_answer(response);
  around_.sees.client_told(number_, what);
  answered_ = is_final(what);
  hang_up();
  if (!answered_) return rest();
  stage_ = stage::done;
}

// What asking again would not change.
bool client::is_final(const told& what) const {
  if (what.problem.empty()) return what.answer && around_.sees.attempt(*what.answer).is_result(what.status);
  if (what.problem == "outcome-unknown") {
    return !around_.probes || tries_ >= static_cast<std::uint64_t>(unknown_is_final_after);
  }
  return what.problem == "mismatch" || what.problem == "result-gone";
}

}  // namespace onceward::simulation
