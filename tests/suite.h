/* suite.h - one Check suite for each module; suite.c runs them all. */
#ifndef TESTS_SUITE_H
#define TESTS_SUITE_H

#include <check.h>

Suite *aligner_suite(void);
Suite *alignment_suite(void);
Suite *base_suite(void);
Suite *bpe_suite(void);
Suite *config_suite(void);
Suite *corpus_suite(void);
Suite *escape_suite(void);
Suite *explain_suite(void);
Suite *explanation_suite(void);
Suite *gold_suite(void);
Suite *heatmap_page_suite(void);
Suite *heatmap_suite(void);
Suite *kernel_suite(void);
Suite *log_fault_suite(void);
Suite *log_suite(void);
Suite *metric_suite(void);
Suite *model_suite(void);
Suite *ops_suite(void);
Suite *option_suite(void);
Suite *output_suite(void);
Suite *pack_suite(void);
Suite *product_suite(void);
Suite *reader_suite(void);
Suite *record_suite(void);
Suite *shipped_suite(void);
Suite *store_damage_suite(void);
Suite *store_fault_suite(void);
Suite *store_process_suite(void);
Suite *store_suite(void);
Suite *text_suite(void);
Suite *trainer_suite(void);
Suite *translator_suite(void);
Suite *vocab_code_suite(void);
Suite *vocab_suite(void);

#endif
