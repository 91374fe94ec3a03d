<?php

declare(strict_types=1);

namespace BlockQueue;

/** With which message a new subscriber begins. */
enum Start: string
{
    /** The next one that becomes deliverable. */
    case Now = 'now';
    /** The oldest that the topic's retention keeps. */
    case Earliest = 'earliest';
}
