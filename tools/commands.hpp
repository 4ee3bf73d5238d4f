// SPDX-License-Identifier: Apache-2.0
// The commands of the program.
#pragma once

#include "tools/command.hpp"

namespace furrow::cli {

class InterruptWatch;

// One function for each subcommand: adds it to the program. Those that stop by themselves take
// the token of `interrupts` when they run; `exit_code` is set when the command ran and found
// something wrong.
void add_archive_command(Command app, InterruptWatch& interrupts);
void add_devices_command(Command app);
void add_plan_command(Command app);
void add_plot_command(Command app, InterruptWatch& interrupts);
void add_read_command(Command app, InterruptWatch& interrupts);
void add_extract_command(Command app, InterruptWatch& interrupts);
void add_scrub_command(Command app, InterruptWatch& interrupts, int& exit_code);
void add_info_command(Command app);
void add_find_command(Command app);
/// Only in builds with HTTP.
void add_serve_pieces_command(Command app, InterruptWatch& interrupts);
/// Only in builds with NATS.
void add_cluster_farm_command(Command app, InterruptWatch& interrupts);
void add_cluster_pieces_command(Command app, InterruptWatch& interrupts);
void add_plotter_command(Command app, InterruptWatch& interrupts);
void add_pack_command(Command app, InterruptWatch& interrupts, int& exit_code);
void add_vectors_command(Command app, int& exit_code);

}  // namespace furrow::cli
