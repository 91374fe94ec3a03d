<?php

declare(strict_types=1);

namespace BlockQueue;

/** How safe an answered write is. */
enum Durability: int
{
    /** On disk before the answer. */
    case Full = 0;
    /** Survives a crash of the process; a power cut may take the newest commits. */
    case Balanced = 1;
}
