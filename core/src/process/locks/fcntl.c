/* SQLite calls fcntl with a variable number of arguments, and a function that takes those cannot be
 * written in Rust. This one hands locks over to Rust (src/process/locks.rs) and does the rest itself. */
#include <fcntl.h>
#include <stdarg.h>

int blockqueue_lock(int fd, int command, struct flock *lock);

int blockqueue_fcntl(int fd, int command, ...) {
  va_list rest;
  int result;
  va_start(rest, command);
  if (command == F_SETLK || command == F_GETLK) {
    result = blockqueue_lock(fd, command, va_arg(rest, struct flock *));
  } else {
    /* F_GETFD, F_SETFD: SQLite uses no command with an argument of another kind. */
    result = fcntl(fd, command, va_arg(rest, int));
  }
  va_end(rest);
  return result;
}
