#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

static void fill(struct err *e, int code, const char *fmt, va_list ap)
{
	e->code = code;
	vsnprintf(e->msg, sizeof e->msg, fmt, ap);
	utf8_mend(e->msg);
	e->details[0] = '\0';
}

int err_set(struct err *e, int code, int ret, const char *fmt, ...)
{
	va_list ap;

	if (!e || e->code)
		return ret;
	va_start(ap, fmt);
	fill(e, code, fmt, ap);
	va_end(ap);
	return ret;
}

int err_sys(struct err *e, int code, int ret, const char *fmt, ...)
{
	va_list ap;

	if (!e || e->code)
		return ret;
	va_start(ap, fmt);
	fill(e, code, fmt, ap);
	va_end(ap);
	err_detail(e, "%s", strerror(-ret));
	if ((ret == -EACCES || ret == -EPERM) && geteuid() != 0)
		err_detail(e, "not run as root");
	return ret;
}

int err_nomem(struct err *e, const char *what)
{
	return err_sys(e, CNI_FAILED, -ENOMEM, "%s", what);
}

void err_detail(struct err *e, const char *fmt, ...)
{
	size_t used;
	va_list ap;

	if (!e || !e->code)
		return;
	used = strlen(e->details);
	if (used > 0 && used + 3 < sizeof e->details) {
		memcpy(e->details + used, "; ", 3);
		used += 2;
	}
	va_start(ap, fmt);
	vsnprintf(e->details + used, sizeof e->details - used, fmt, ap);
	va_end(ap);
	utf8_mend(e->details);
}

void err_clear(struct err *e)
{
	e->code = 0;
	e->msg[0] = e->details[0] = '\0';
}
