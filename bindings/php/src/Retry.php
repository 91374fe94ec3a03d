<?php

declare(strict_types=1);

namespace BlockQueue;

/** Whether repeating a call that failed can help. */
enum Retry: string
{
    /** The same call fails again: change it, or the world, first. */
    case Never = 'never';
    /** Nothing was done; the same call may succeed later. */
    case Later = 'later';
    /** Nobody knows whether it was done: repeat it only under the same idempotency key, or look first. */
    case Reconcile = 'reconcile';
}
