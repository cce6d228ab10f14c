#include "stores/redis/value.h"

#include <hiredis/read.h>

#include <utility>

namespace onceward::redis {

// hiredis calls back for each part of a reply. Those of a list are made with the list, so that a part only has to be
// filled in, and nothing is left to free.
struct value_reader::reading {
  struct end {
    void operator()(redisReader* made) const { redisReaderFree(made); }
  };

  value root;
  std::size_t items = 0;  // In the reply that is being read.
  std::size_t bytes = 0;  // Fed since the last reply that was whole.
  bool beyond_a_bound = false;
  std::unique_ptr<redisReader, end> reader;

  static reading& of(const redisReadTask* task) { return *static_cast<reading*>(task->privdata); }

  static value& place(const redisReadTask* task) {
    if (task->parent == nullptr) return of(task).root;
    return static_cast<value*>(task->parent->obj)->items[static_cast<std::size_t>(task->idx)];
  }

  static void* put_string(const redisReadTask* task, char* text, std::size_t length) {
    value& into = place(task);
    into.what = task->type == REDIS_REPLY_ERROR    ? value::kind::error
                : task->type == REDIS_REPLY_STATUS ? value::kind::status
                                                   : value::kind::text;
    into.text.assign(text, length);
    return &into;
  }

  static void* put_list(const redisReadTask* task, int count) {
    reading& self = of(task);
    if (count < 0 || static_cast<std::size_t>(count) > items_max - self.items) {
      self.beyond_a_bound = true;
      return nullptr;
    }
    self.items += static_cast<std::size_t>(count);
    value& into = place(task);
    into.what = value::kind::list;
    into.items.resize(static_cast<std::size_t>(count));
    return &into;
  }

  static void* put_number(const redisReadTask* task, long long number) {
    value& into = place(task);
    into.what = value::kind::number;
    into.number = number;
    return &into;
  }

  static void* put_nothing(const redisReadTask* task) { return &place(task); }

  static void free_nothing(void*) {}
};

value_reader::value_reader() : reading_(std::make_unique<reading>()) {
  static redisReplyObjectFunctions functions{&reading::put_string, &reading::put_list, &reading::put_number,
                                             &reading::put_nothing, &reading::free_nothing};
  reading_->reader.reset(redisReaderCreateWithFunctions(&functions));
  if (reading_->reader != nullptr) reading_->reader->privdata = reading_.get();
}

value_reader::~value_reader() = default;

bool value_reader::feed(std::string_view bytes) {
  reading_->bytes += bytes.size();
  if (reading_->reader == nullptr || reading_->bytes > bytes_max) reading_->beyond_a_bound = true;
  if (reading_->beyond_a_bound) return false;
  return redisReaderFeed(reading_->reader.get(), bytes.data(), bytes.size()) == REDIS_OK;
}

result<std::optional<value>> value_reader::next() {
  reading& now = *reading_;
  void* whole = nullptr;
  const bool good = !now.beyond_a_bound && redisReaderGetReply(now.reader.get(), &whole) == REDIS_OK;
  if (now.beyond_a_bound) return tl::unexpected(errc::too_large);
  if (!good) return tl::unexpected(errc::corrupt);
  if (whole == nullptr) return std::nullopt;
  now.items = 0;
  now.bytes = now.reader->len - now.reader->pos;
  return std::exchange(now.root, {});
}

}  // namespace onceward::redis
