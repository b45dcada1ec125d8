/* SPDX-License-Identifier: MIT
 *
 * No pages: npm was missing, or DAGRUN_PAGES is off.
 */
#include "web/assets.h"

const struct web_asset web_assets[] = {{NULL, NULL, NULL, NULL, 0}};
