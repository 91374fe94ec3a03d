<?php

declare(strict_types=1);

namespace BlockQueue;

/** What a worker has done. */
final class Report
{
    public int $acked = 0;
    /** Deliveries whose handler threw. */
    public int $failed = 0;
    /** Deliveries whose lease was lost before they could be settled: somebody else has them. */
    public int $lost = 0;
}
