<?php

declare(strict_types=1);

namespace BlockQueue;

/** What a schedule does while its message before is not settled. */
enum OverlapPolicy: string
{
    /** Publishes another. */
    case Allow = 'allow';
    /** Leaves the occurrence out. */
    case Skip = 'skip';
    /** Publishes when it is settled; one waits at most. */
    case Queue = 'queue';
}
