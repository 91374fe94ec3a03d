<?php

declare(strict_types=1);

namespace BlockQueue;

/** What becomes of a publish when the backlog limit of its topic is reached. */
enum BacklogPolicy: string
{
    /** It fails with `backlog_full`. */
    case Refuse = 'refuse';
    /** The oldest messages make room for it, and are counted as dropped. */
    case DropOldest = 'drop_oldest';
}
