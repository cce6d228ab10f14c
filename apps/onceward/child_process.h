// A process of this same binary, started and ended by the demo.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace onceward::app {

class child_process {
 public:
  // Runs this binary with `arguments`; what it prints goes to `log_path`. Throws std::exception if it cannot start.
  child_process(const std::vector<std::string>& arguments, const std::string& log_path);
  // Ends it in an orderly way, and waits.
  ~child_process();
  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;

  pid_t id() const { return id_; }
  bool is_running();
  // SIGKILL, and waits.
  void kill_at_once();

 private:
  void end(int signal);

  pid_t id_ = -1;
};

}  // namespace onceward::app
