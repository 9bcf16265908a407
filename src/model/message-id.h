/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One id per situation that an administrator may want to find or be told of (journalctl MESSAGE_ID=…). They
 * are API: explained in units/pullauth.catalog and pullauthd.service(8), never used for another meaning. */

#define MESSAGE_ID_REFRESHED "e471e1348f72418bad4036aeac0de212"
#define MESSAGE_ID_REFRESH_FAILED "f0bc4f07a43548048df955cb27e98ebe"
#define MESSAGE_ID_EXPIRED "898ba062a5a443ff9a2ad7ec09d15868"
#define MESSAGE_ID_TARGET_FAILED "87fe534e610540a28c4e8fc73a0a0fa6"
#define MESSAGE_ID_TARGET_RECOVERED "e81d0364366f496cbd3300a6c2297312"
#define MESSAGE_ID_CONFIGURATION_INVALID "074e5e0549d640b593de7ea079571712"
#define MESSAGE_ID_STATE_UNUSABLE "796c2d18ebe6486daf6d5d1259fd15be"
#define MESSAGE_ID_STATE_UNSAVED "c6a775d4e7ca493aaedcc928f516f209"
#define MESSAGE_ID_UNIT_SERVED "75730bbc6e5d4e7a8333d38b376940d6"
#define MESSAGE_ID_UNIT_EMPTY "64f61dd0fe944241b53ad4ebe8c9dff0"
#define MESSAGE_ID_UNIT_NOT_RELOADED "b5b0e6f4c3a24c2e9f7d1a68e0c94d17"
#define MESSAGE_ID_UNIT_REFUSED "e5a1f0b225784c18a8e62f115e9a6e8f"
