import type { Replication } from '../src/prove/replication.ts'
import { alphamath } from './alphamath.ts'
import { dtrec } from './dtrec.ts'
import { genprm } from './genprm.ts'
import { gmPrm } from './gm-prm.ts'
import { groundedprm } from './groundedprm.ts'
import { hardTaskSupervision } from './hard-task-supervision.ts'
import { mmPrm } from './mm-prm.ts'
import { multiRm } from './multi-rm.ts'
import { omegaprm } from './omegaprm.ts'
import { oprl } from './oprl.ts'
import { ovm } from './ovm.ts'
import { p2s } from './p2s.ts'
import { pprRenorm } from './ppr-renorm.ts'
import { prl } from './prl.ts'
import { prlcoder } from './prlcoder.ts'
import { prmLessons } from './prm-lessons.ts'
import { prorag } from './prorag.ts'
import { spare } from './spare.ts'
import { steporlm } from './steporlm.ts'
import { toolcomp } from './toolcomp.ts'
import { treepsRag } from './treeps-rag.ts'

/** Published claims against their controls, one file a paper. */
export const REPLICATIONS: readonly Replication[] = [
  omegaprm,
  prmLessons,
  genprm,
  mmPrm,
  groundedprm,
  spare,
  hardTaskSupervision,
  steporlm,
  prlcoder,
  p2s,
  alphamath,
  ovm,
  gmPrm,
  dtrec,
  multiRm,
  toolcomp,
  oprl,
  treepsRag,
  pprRenorm,
  prl,
  prorag,
]
