// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>

#include "../../vmm/kvm.h"

Test(kvm, either_vendors_bit_is_enough_and_no_other_bit_is)
{
	cr_assert(kvm_processor_virtualises(1u << 5, 0));
	cr_assert(kvm_processor_virtualises(0, 1u << 2));
	cr_assert_not(kvm_processor_virtualises(0, 0));
	cr_assert_not(kvm_processor_virtualises(~(1u << 5), ~(1u << 2)));
}
