<?php

declare(strict_types=1);

namespace BlockQueue;

/** The native library cannot be used here. The text says what to do about it. */
final class LibraryException extends \RuntimeException
{
}
