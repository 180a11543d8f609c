// The kinds of numbers that tax offices give. Source: Stripe's description of 2023-08-16.
#pragma once

#include "net/api/stripe/parameters.hpp"

namespace billd::api::stripe {

inline constexpr auto tax_id_types = std::to_array<std::string_view>(
    {"ad_nrt", "ae_trn",     "ar_cuit",   "au_abn",    "au_arn",    "bg_uic", "bo_tin",     "br_cnpj", "br_cpf",
     "ca_bn",  "ca_gst_hst", "ca_pst_bc", "ca_pst_mb", "ca_pst_sk", "ca_qst", "ch_vat",     "cl_tin",  "cn_tin",
     "co_nit", "cr_tin",     "do_rcn",    "ec_ruc",    "eg_tin",    "es_cif", "eu_oss_vat", "eu_vat",  "gb_vat",
     "ge_vat", "hk_br",      "hu_tin",    "id_npwp",   "il_vat",    "in_gst", "is_vat",     "jp_cn",   "jp_rn",
     "jp_trn", "ke_pin",     "kr_brn",    "li_uid",    "mx_rfc",    "my_frp", "my_itn",     "my_sst",  "no_vat",
     "nz_gst", "pe_ruc",     "ph_tin",    "ro_tin",    "rs_pib",    "ru_inn", "ru_kpp",     "sa_vat",  "sg_gst",
     "sg_uen", "si_tin",     "sv_nit",    "th_vat",    "tr_tin",    "tw_vat", "ua_vat",     "us_ein",  "uy_ruc",
     "ve_rif", "vn_tin",     "za_vat"});

inline constexpr std::array new_tax_id_rules = {
    choice("type", tax_id_types).required(),
    text("value", 64).required(),
};

}  // namespace billd::api::stripe
