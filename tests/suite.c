/* suite.c - runs every suite. CK_RUN_SUITE=name runs one; CK_FORK=no helps under a debugger. */
#include "suite.h"

#include <stdlib.h>

static Suite *(*const suites[])(void) = {
    aligner_suite,
    alignment_suite,
    base_suite,
    bpe_suite,
    config_suite,
    corpus_suite,
    escape_suite,
    explain_suite,
    explanation_suite,
    gold_suite,
    heatmap_page_suite,
    heatmap_suite,
    kernel_suite,
    log_fault_suite,
    log_suite,
    metric_suite,
    model_suite,
    ops_suite,
    option_suite,
    output_suite,
    pack_suite,
    product_suite,
    reader_suite,
    record_suite,
    shipped_suite,
    store_damage_suite,
    store_fault_suite,
    store_process_suite,
    store_suite,
    text_suite,
    trainer_suite,
    translator_suite,
    vocab_code_suite,
    vocab_suite,
};

int main(void)
{
    SRunner *runner = srunner_create(NULL);
    for (size_t i = 0; i < sizeof suites / sizeof *suites; i++)
        srunner_add_suite(runner, suites[i]());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
