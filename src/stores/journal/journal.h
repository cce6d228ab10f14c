// The embedded store: an append-only record log in one directory, durable, with its index in memory.
//
// What it keeps is described in docs/journal-format.md. Changes are written by one thread at a time, its own or one
// that flushes and is idle, all that queued during one sync in the next batch, and acknowledged after it; commands that
// change nothing wait for no sync, and are never told of what is not durable yet. Renewals are not written: a journal
// has one owner, so when it is opened every claim that is still in flight in it belongs to a process that is gone, and
// is unknown at once.
//
// An error of a write or a sync is final: every command is answered store_failure from then on, until the journal is
// closed, opened and with that verified. A full disk is not: new claims are refused, and outcomes still find the space
// that was promised to them when they were claimed.
//
// It starts three threads (committer, cold reader, caretaker) and no more; or none, and is run in steps.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "onceward/store.h"
#include "stores/journal/disk.h"
#include "stores/journal/options.h"

namespace onceward::journal {

enum class begin;

class journal final : public store {
 public:
  // Opens the journal in `directory`, or makes it: the directory too, if its parent is there. Other files in it are
  // left alone. Takes the time to read the log. `now` is the store's clock; it is called from every thread that
  // submits.
  static tl::expected<std::unique_ptr<journal>, open_error> open(const std::string& directory, const options& chosen,
                                                                 std::function<wall_time()> now);

  // The same on any disk.
  static tl::expected<std::unique_ptr<journal>, open_error> open(std::unique_ptr<disk> where, const options& chosen,
                                                                 std::function<wall_time()> now);

  // The same on any disk and without threads, for a simulator: nothing happens but in submit() and step(), and always
  // the same.
  static tl::expected<std::unique_ptr<journal>, open_error> open_in_steps(std::unique_ptr<disk> where,
                                                                          const options& chosen,
                                                                          std::function<wall_time()> now);
  enum class part { committer, cold_reader, caretaker };
  // Whether the thread would have something to do. A full journal's caretaker has, about once a second, besides.
  bool has_work(part which) const;
  bool is_full() const;
  // What the thread would do now; that of the committer, an idle thread that flushes, too.
  void step(part which);

  // Writes and answers what is outstanding. No command is submitted during or after this.
  ~journal() override;

  void submit(command what, reply_sink& sink, std::uint64_t tag) override;
  void gather(command what, reply_sink& sink, std::uint64_t tag) override;
  void flush(caller is) override;
  store_statistics statistics() const override;

  // What ended the journal, for people; empty while it works.
  std::string failure() const;

 private:
  void take(command what, reply_sink& sink, std::uint64_t tag, begin when);

  struct parts;
  explicit journal(std::unique_ptr<parts> opened);
  static tl::expected<std::unique_ptr<journal>, open_error> open(std::unique_ptr<disk> where, const options& chosen,
                                                                 std::function<wall_time()> now, run_by who);

  std::unique_ptr<parts> parts_;
};

}  // namespace onceward::journal
