/* The files of export and import: names, forms, and what a reader of several files counts. */
#pragma once

#include "ctl.h"
#include "ctl_row.h"

/* --format, or by the ending of the name; - is CSV. Says what is allowed and returns -EINVAL. */
int ctl_form_of(const struct ctl_options *options, const char *path, enum ctl_row_form *ret_form);
/* Whether the filters of the command line let a series through. */
bool ctl_wanted(const struct ctl_options *options, const struct series *series);
