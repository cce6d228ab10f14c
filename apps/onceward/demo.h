// `onceward demo`: a shop that charges cards, a network that loses answers, and what a gateway in between changes.
#pragma once

#include <cstdint>
#include <string>

namespace onceward::app {

struct demo_options {
  bool keep_running = false;  // Leaves the gateway and the API running after the story, until a signal comes.
  std::uint16_t listen_port = 8080;
  std::uint16_t admin_port = 9901;
  std::uint16_t api_port = 9000;
  std::string data = "./data";  // keep_running only; the story has a temporary folder of its own.
};

// Tells the story on standard output. Returns the exit code of the program: 1 if something did not go as told.
int run_demo(const demo_options& options);

}  // namespace onceward::app
