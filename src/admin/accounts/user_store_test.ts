import { MemoryUsers } from "../../../tests/support/memory_users.ts";
import { memoryTables } from "../../../tests/support/memory_tables.ts";
import { userStoreContract } from "../../../tests/support/user_store_contract.ts";
import { DatabaseUsers } from "./database_users.ts";

userStoreContract("MemoryUsers", () => new MemoryUsers());
userStoreContract(
  "DatabaseUsers",
  () => new DatabaseUsers(memoryTables().users),
);
