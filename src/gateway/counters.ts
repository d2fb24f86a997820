// What this thread counts, under the names that Prometheus shows.

export class Counters {
  connections = 0;
  /** Beyond the limit of connections. */
  connectionsRefused = 0;
  held = 0;
  queueFull = 0;
  retries = 0;
  timeouts = 0;
  clientsGone = 0;
  malformed = 0;
  /** Lines of logs, and traced requests, that did not find room on the way out. */
  linesDropped = 0;
  tracesDropped = 0;
  bytesIn = 0;
  bytesOut = 0;
  /** Responses by class: index 1 is 1xx (upgrades), 5 is 5xx. */
  readonly codes: number[] = [0, 0, 0, 0, 0, 0];

  response(status: number): void {
    const index = Math.floor(status / 100);
    this.codes[index] = (this.codes[index] ?? 0) + 1;
  }

  /** Sample name with labels → value. */
  samples(): Record<string, number> {
    const samples: Record<string, number> = {
      eider_gateway_connections_total: this.connections,
      eider_gateway_connections_refused_total: this.connectionsRefused,
      eider_gateway_held_requests_total: this.held,
      eider_gateway_queue_full_total: this.queueFull,
      eider_gateway_retries_total: this.retries,
      eider_gateway_timeouts_total: this.timeouts,
      eider_gateway_clients_gone_total: this.clientsGone,
      eider_gateway_malformed_requests_total: this.malformed,
      eider_gateway_log_lines_dropped_total: this.linesDropped,
      eider_gateway_traces_dropped_total: this.tracesDropped,
      'eider_gateway_bytes_total{direction="in"}': this.bytesIn,
      'eider_gateway_bytes_total{direction="out"}': this.bytesOut,
    };
    for (let index = 1; index <= 5; index++) samples[`eider_gateway_requests_total{code="${index}xx"}`] = this.codes[index] ?? 0;
    return samples;
  }
}
