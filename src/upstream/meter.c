#include "upstream/meter.h"

const uint32_t meter_latency_us[METER_LATENCIES] = {100,     250,     500,     1000,     2500,    5000,
                                                    10000,   25000,   50000,   100000,   250000,  500000,
                                                    1000000, 2500000, 5000000, 10000000, 30000000};

void meter_answer(struct meter *meter, unsigned status, uint64_t latency_us) {
    unsigned class = 0;
    while (class < METER_LATENCIES && latency_us > meter_latency_us[class])
        class ++;
    counter_add(&meter->latencies[class], 1);
    counter_add(&meter->latency_us, latency_us);
    counter_add(&meter->answers[status / 100 < METER_STATUSES ? status / 100 : 0], 1);
}

static void add(uint64_t *sums, const struct counter *counters, unsigned count) {
    for (unsigned i = 0; i < count; i++)
        sums[i] += counter_read(&counters[i]);
}

void meter_sum_add(struct meter_sum *sum, const struct meter *meter) {
    sum->bytes_up += counter_read(&meter->bytes_up);
    sum->bytes_down += counter_read(&meter->bytes_down);
    sum->requests += counter_read(&meter->requests);
    sum->tunnels += counter_read(&meter->tunnels);
    sum->latency_us += counter_read(&meter->latency_us);
    add(sum->answers, meter->answers, METER_STATUSES);
    add(sum->failures, meter->failures, WHY_COUNT);
    add(sum->latencies, meter->latencies, METER_LATENCIES + 1);
}

uint64_t meter_sum_quantile_us(const struct meter_sum *sum, double share) {
    uint64_t all = 0, before = 0;
    for (unsigned i = 0; i <= METER_LATENCIES; i++)
        all += sum->latencies[i];
    double wanted = share * (double)all;
    for (unsigned i = 0; i < METER_LATENCIES; i++) {
        uint64_t here = sum->latencies[i];
        uint32_t from = i ? meter_latency_us[i - 1] : 0;
        if (here && (double)(before + here) >= wanted)
            return from + (uint64_t)((meter_latency_us[i] - from) * (wanted - (double)before) / (double)here);
        before += here;
    }
    return all ? meter_latency_us[METER_LATENCIES - 1] : 0;
}
